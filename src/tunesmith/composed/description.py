"""The description of a sound that a model made of a composition, and progress of a part of the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.audio.timeline import TIMELINE
from tunesmith.composer.composition import Composition
from tunesmith.generator import Progress, ProgressCallback
from tunesmith.request import GenerationRequest


def description(
    made: Mapping[str, Any], composition: Composition, request: GenerationRequest,
    settings: Mapping[str, Any], warnings: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    """Return the metadata of a result: the model's own (``made``), and what the composition decided.

    ``settings`` come last, so that they win; ``warnings`` follow those of composition and model.
    """
    composed = composition.metadata
    kept = {name: value for name, value in composed["settings"].items() if name != "instruments"}
    return {
        **made,
        **{name: value for name, value in composed.items() if name == TIMELINE},
        "settings": {**(made.get("settings") or {}), **kept, **settings},
        "request": request.model_dump(mode="json", exclude_unset=True),
        "warnings": [*composition.warnings, *made.get("warnings", ()), *warnings],
    }


def part_of_progress(progress: ProgressCallback, start: float, end: float) -> ProgressCallback:
    """Return a callback for the part of the work from ``start`` to ``end``, as fractions of the whole."""
    return lambda one: progress(Progress(one.stage, start + one.fraction * (end - start)))
