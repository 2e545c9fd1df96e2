"""``tunesmith render SCORE --model NAME``: a model performs the notes of a score."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.cli.generate import ReportOptions
    from tunesmith.config import Settings
    from tunesmith.output_files import OutputFiles


def perform_and_report(
    score: Path, fields: Mapping[str, Any], files: OutputFiles, settings: Settings, shown: ReportOptions
) -> None:
    """Let a model perform a score file or a MIDI file, write and log the files, and report them.

    ``fields`` are those of a request, ``model`` among them; prompt and seed are the score's where they are None. Raises
    TunesmithError.
    """
    from tunesmith.cli.generate import generate_and_report
    from tunesmith.composer.score_input import loaded_score
    from tunesmith.models.commercial_safety import CommercialPolicy, check_licence
    from tunesmith.request import GenerationRequest

    started = time.monotonic()
    check_licence(CommercialPolicy.of(settings), fields["model"])
    written = loaded_score(score).score
    usual = {"prompt": written.prompt or written.title or score.stem, "seed": written.seed}
    given = {name: value for name, value in fields.items() if value is not None}
    # Absolute, because the log keeps the request, and a repetition may run in another folder.
    request = GenerationRequest.checked(**{**usual, **given, "perform": True, "score": score.resolve()})
    generate_and_report([request], files, settings, shown, started=started)
