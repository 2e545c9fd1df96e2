"""Performances: the notes of a sheet, played once for each seed, all in one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.audio import Spool
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.generator import CancelCheck, NoteSheet, ProgressCallback
from tunesmith.magenta_rt.conditioning import UNSAID, FrameControls
from tunesmith.magenta_rt.frame_sources import Masked, written
from tunesmith.magenta_rt.pianoroll import Roll, pianoroll
from tunesmith.magenta_rt.plan_blocks import blocks_of
from tunesmith.magenta_rt.request_mapping import StreamPlan, check_fields, draw_settings, frames_of
from tunesmith.neural.step_progress import StepProgress
from tunesmith.request import MAX_DURATION_SECONDS, GenerationRequest
from tunesmith.text_prompt import prompt_text

if TYPE_CHECKING:
    from tunesmith.magenta_rt.open_model import MagentaModel


@dataclass(frozen=True, slots=True)
class PlayedSheet:
    """A performance at the model's rate, and what was played."""

    spool: Spool
    plan: StreamPlan


def perform_sheet(
    model: MagentaModel, request: GenerationRequest, sheet: NoteSheet, seeds: Sequence[int],
    progress: ProgressCallback, cancelled: CancelCheck,
) -> list[PlayedSheet]:  # fmt: skip
    """Return a performance for each seed, in their order. Raises as ``PerformingGenerator.perform``."""
    check_fields(request)
    if not 0 < sheet.duration <= MAX_DURATION_SECONDS:
        problem = f"must be above 0 and at most {MAX_DURATION_SECONDS:g} s, got {sheet.duration:g}"
        raise InvalidRequest("duration", problem)
    roll, total, failed = pianoroll(sheet), _TotalProgress(progress, len(seeds)), threading.Event()
    errors: list[BaseException] = []

    def play(number: int) -> PlayedSheet | None:
        try:
            plan = _plan(model, request, sheet, seeds[number])
            over = lambda: failed.is_set() or cancelled()  # noqa: E731
            return _play(model, plan, sheet, roll, total.of(number), over)
        # One that fails ends the others, which would only be thrown away.
        except BaseException as error:
            errors.append(error)
            failed.set()
            return None

    # Each stream has a reader of its own: one that waits for a row must not hold up the others.
    with ThreadPoolExecutor(max(1, len(seeds))) as readers:
        played = list(readers.map(play, range(len(seeds))))
    if errors:
        raise next((error for error in errors if not isinstance(error, GenerationCancelled)), errors[0])
    return [one for one in played if one is not None]


def _plan(model: MagentaModel, request: GenerationRequest, sheet: NoteSheet, seed: int) -> StreamPlan:
    guidance = (request.guidance_scale or 1.0) - 1.0
    masked: tuple[Masked, ...] = ("style", "notes") if guidance else ()
    num_samples = round(sheet.duration * model.architecture.codec.sample_rate)
    return StreamPlan(
        prompt_text(request), seed, draw_settings(request), masked, guidance,
        frames_of(num_samples, model.architecture), num_samples,
    )  # fmt: skip


def _play(
    model: MagentaModel, plan: StreamPlan, sheet: NoteSheet, roll: Roll, report: Callable[[int, int], None],
    cancelled: CancelCheck,
) -> PlayedSheet:  # fmt: skip
    drums = UNSAID if sheet.plays_drums is None else int(sheet.plays_drums)
    controls = FrameControls(style=model.encode_prompt(plan.text, plan.seed), drums=drums)
    # Half an hour has 45,000 frames of 144 numbers.
    sources = model.sources(written(controls.frames(roll).astype(np.int16)), plan.masked)
    spool = Spool(model.architecture.codec.audio_channels)
    for block in blocks_of(plan, model, sources, report, cancelled):
        spool.append(block)
    return PlayedSheet(spool, plan)


class _TotalProgress:
    """The progress of several streams as one."""

    def __init__(self, progress: ProgressCallback, num_streams: int) -> None:
        self._report = StepProgress(progress)
        self._done = [0] * num_streams
        self._changing = threading.Lock()

    def of(self, number: int) -> Callable[[int, int], None]:
        """Return the callback of one stream, with its frames so far and in all."""

        def report(done: int, total: int) -> None:
            with self._changing:
                self._done[number] = done
                self._report(sum(self._done), total * len(self._done))

        return report
