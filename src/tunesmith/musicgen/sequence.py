"""Sequence: one request in the batch, with its state, its codes so far, and its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.architecture import GUIDED_ROWS, Architecture
from tunesmith.musicgen.delay_pattern import delay
from tunesmith.musicgen.runner import Codes, Logits
from tunesmith.musicgen.sampling import SamplerSettings, guide
from tunesmith.musicgen.sliding_windows import SlidingWindow, WindowRule, plan_windows
from tunesmith.neural.batch_sequence import BatchSequence
from tunesmith.neural.sampling import sample, uniforms

OPEN = -1
"""The placeholder for a code that is not drawn yet."""

ChromaOfWindow = Callable[[SlidingWindow], NDArray[np.float32]]
"""A function that returns the chromagram (frames, bins) of a melody during one window."""


@dataclass(frozen=True, slots=True)
class SequenceRequest:
    """The request for ``frames`` frames of codes for a text, given as token ids (empty: no text).

    ``given`` are codes (codebooks, frames) to continue. ``melody`` returns the chromagram of a window. Windows beyond
    the trained length follow each other at ``stride_frames``; None is the model's own stride. Raises InvalidRequest if
    there is no frame to generate.
    """

    prompt_ids: tuple[int, ...]
    frames: int
    seed: int
    settings: SamplerSettings = field(default_factory=SamplerSettings)
    negative_ids: tuple[int, ...] = ()
    given: Codes | None = None
    melody: ChromaOfWindow | None = None
    stride_frames: int | None = None

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InvalidRequest("duration", f"must be at least one frame, got {self.frames}")
        if self.given_frames >= self.frames:
            problem = f"must be longer than the given {self.given_frames} frames, got {self.frames}"
            raise InvalidRequest("duration", problem)

    @property
    def given_frames(self) -> int:
        """The number of given frames."""
        return 0 if self.given is None else self.given.shape[1]

    @property
    def guided(self) -> bool:
        """Whether guidance applies, which takes a second row."""
        # Without any condition both rows would be equal: skipping one halves the work.
        conditioned = bool(self.prompt_ids or self.negative_ids or self.melody)
        return conditioned and self.settings.guidance_scale != 1

    @property
    def num_rows(self) -> int:
        """The number of batch rows the sequence takes."""
        return GUIDED_ROWS if self.guided else 1


class Sequence(BatchSequence):
    """One request in the engine; see BatchSequence.

    ``inputs`` is the model's input for the current window: a column of special codes, then the delayed codes, with OPEN
    for a code not drawn yet. ``cursor`` is the last complete column; the next step feeds it and fills the following
    one.
    ``complete_frames`` frames have all their codes.
    """

    def __init__(self, request: SequenceRequest, architecture: Architecture) -> None:
        rule = WindowRule.of(architecture.window_frames, architecture.window_seconds)
        if request.stride_frames is not None:
            rule = WindowRule(architecture.window_frames, request.stride_frames)
        shape = (architecture.decoder.num_codebooks, request.frames)
        super().__init__(request.num_rows)
        self.request = request
        self.windows = plan_windows(request.frames, request.given_frames, rule)
        self.codes: Codes = np.full(shape, OPEN, np.int64)
        if request.given is not None:
            self.codes[:, : request.given_frames] = request.given
        self.steps_done = 0
        self.complete_frames = request.given_frames
        self._delays = np.array(architecture.delays)
        self._longest_delay = max(architecture.delays)
        self._special_code = architecture.special_code
        # All draws are made up front, keyed by frame, so that batch neighbours cannot change them.
        self._draws = uniforms(request.seed, request.frames, shape[0])
        self.start_window(0)

    def start_window(self, index: int) -> None:
        """Lay out the inputs of a window from the codes known so far."""
        self.window_index = index
        window = self.window
        delayed = delay(self.codes[:, window.start : window.stop], self._delays.tolist(), self._special_code)
        first = np.full((len(delayed), 1), self._special_code, np.int64)
        self.inputs = np.concatenate([first, delayed], axis=1)
        # The first incomplete column is the one to fill; everything before it is prefilled.
        self.cursor = int((self.inputs == OPEN).any(axis=0).argmax()) - 1

    @property
    def window(self) -> SlidingWindow:
        """The current window."""
        return self.windows[self.window_index]

    @property
    def prefill_codes(self) -> Codes:
        """The codes (codebooks, positions) that a row must have processed before the first step of the window."""
        return self.inputs[:, : self.cursor]

    @property
    def longest_window(self) -> int:
        """The largest number of code positions that a row holds in any window."""
        return max(window.length for window in self.windows) + self._longest_delay

    @property
    def steps_total(self) -> int:
        """The number of steps of all windows together."""
        return sum(window.length - window.known + self._longest_delay for window in self.windows)

    @property
    def window_done(self) -> bool:
        """Whether the last column of the window is complete."""
        return self.cursor + 1 == int(self.inputs.shape[1])

    def take(self, logits: tuple[Logits, ...]) -> None:
        """Draw the column after the cursor from the logits (codebooks, size) of each row; advance the cursor."""
        settings = self.request.settings
        scores = guide(logits[0], logits[1], settings.guidance_scale) if self.request.guided else logits[0]
        column = self.inputs[:, self.cursor + 1]
        # Under the delay pattern the codebooks of one column belong to different frames.
        frames = self.window.start + self.cursor - self._delays
        (wanted,) = np.nonzero(column == OPEN)
        # Positions before the first or past the last frame hold special codes; clip their index, the draw is discarded.
        drawn = sample(scores, self._draws[frames.clip(0, len(self._draws) - 1), np.arange(len(frames))], settings)
        column[wanted] = drawn[wanted]
        self.codes[wanted, frames[wanted]] = drawn[wanted]
        self.cursor += 1
        self.steps_done += 1
        self.complete_frames = max(self.complete_frames, self.window.start + self.cursor - self._longest_delay)

    def result(self) -> Codes:
        """Return the codes (codebooks, frames). Raises the sequence's error, or GenerationCancelled."""
        self.check_result()
        return self.codes
