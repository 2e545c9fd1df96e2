"""Known capabilities of hosted models: clip length, accepted inputs, licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from tunesmith.errors import InvalidRequest
from tunesmith.hosted.model_names import HostedName
from tunesmith.licences import UNKNOWN_LICENCE
from tunesmith.request import GenerationRequest

SETTINGS = (
    "negative_prompt", "guidance_scale", "temperature", "top_k", "top_p", "steps", "ending", "strength", "schedule",
    "repaint",
)  # fmt: skip
"""Fields of neural models that one service has and another has not."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of a model: ``longest`` clip in seconds; ``tokens`` per second of audio (None: not used).

    ``continues`` and ``melody`` state whether the model accepts a recording to continue or to follow. ``has`` is the
    text in a model's name or URL that the entry applies to. ``inputs`` are the service's names of the request's fields,
    ``constants`` its inputs that are always the same.
    """

    has: str
    longest: float
    tokens: int | None = None
    continues: bool = False
    melody: bool = False
    licence: str = UNKNOWN_LICENCE
    inputs: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    def input_fields(self, request: GenerationRequest) -> dict[str, Any]:
        """Return the settings of a request under the service's names, without the duration."""
        values = {name: getattr(request, ours) for ours, name in self.inputs.items() if ours != "duration"}
        return {name: value for name, value in values.items() if value is not None}

    def reject_other_fields(self, request: GenerationRequest, name: HostedName) -> None:
        """Raise InvalidRequest for the first setting of neural models that the service has no name for."""
        for setting in SETTINGS:
            if setting not in self.inputs and getattr(request, setting) is not None:
                raise InvalidRequest(setting, f"is not supported by {name}, got {getattr(request, setting)!r}")


def facts_of(name: HostedName) -> Capabilities:
    """Return the capabilities of a model."""
    text = (name.url or name.id).lower()
    # The table ends with an entry that matches every name.
    return next(facts for facts in _table()[name.service] if facts.has in text)


@cache
def _table() -> Mapping[str, tuple[Capabilities, ...]]:
    text = files("tunesmith.hosted").joinpath("models.yaml").read_text(encoding="utf-8")
    return MappingProxyType(
        {service: tuple(Capabilities(**one) for one in rows) for service, rows in yaml.safe_load(text).items()}
    )
