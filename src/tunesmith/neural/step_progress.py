"""StepProgress: the steps of a model as progress, with the time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from tunesmith.generator import Progress, ProgressCallback

# As fractions of the whole progress.
WRITING_STARTS, WRITING_ENDS, DECODING_ENDS = 0.02, 0.9, 0.97


class StepProgress:
    """A callback that reports steps as progress, with the time left at the average speed so far."""

    def __init__(self, progress: ProgressCallback, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._clock = clock
        self._first: tuple[int, float] | None = None

    def __call__(self, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps are done."""
        fraction = WRITING_STARTS + done / total * (WRITING_ENDS - WRITING_STARTS)
        self._progress(Progress(self._stage(done, total), fraction))

    def _stage(self, done: int, total: int) -> str:
        if done == 0:
            return "preparing"
        # The clock starts after the first step: prefill time says nothing about the speed of steps.
        now = self._clock()
        if self._first is None:
            self._first = (done, now)
        first, started = self._first
        if done == first:
            return f"step {done} of {total}"
        left = round((now - started) / (done - first) * (total - done))
        return f"step {done} of {total}, {left // 60}:{left % 60:02} left"
