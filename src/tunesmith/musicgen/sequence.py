"""Sequence: one request on its way through the batch: its state, its codes so far, and the rows it sits in."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.musicgen.architecture import GUIDED_ROWS, Architecture
from tunesmith.musicgen.delay_pattern import delay
from tunesmith.musicgen.runner import Codes, Logits
from tunesmith.musicgen.sampling import SamplerSettings, guide, sample, uniforms
from tunesmith.musicgen.sliding_windows import SlidingWindow, WindowRule, plan_windows

OPEN = -1
"""Stands where a code is yet to be drawn."""

ChromaOfWindow = Callable[[SlidingWindow], NDArray[np.float32]]
"""What a melody sounds like during one window: (chroma frames, bins)."""


class State(enum.Enum):
    """Where a sequence is: it goes from WAITING to PREFILLING and RUNNING, back for each window, and ends once."""

    WAITING = "waiting"
    PREFILLING = "prefilling"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = frozenset({State.FINISHED, State.CANCELLED, State.FAILED})


@dataclass(frozen=True, slots=True)
class SequenceRequest:
    """What a sequence is to become: ``frames`` of codes for a text, given as token ids (none: no text).

    ``given`` are codes (codebooks, frames) that the piece begins with; ``melody`` tells what to follow.
    """

    prompt_ids: tuple[int, ...]
    frames: int
    seed: int
    settings: SamplerSettings = field(default_factory=SamplerSettings)
    negative_ids: tuple[int, ...] = ()
    given: Codes | None = None
    melody: ChromaOfWindow | None = None

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise InvalidRequest("duration", f"must be at least one frame, got {self.frames}")
        if self.given_frames >= self.frames:
            problem = f"must be longer than what is given: {self.given_frames} frames, got {self.frames}"
            raise InvalidRequest("duration", problem)

    @property
    def given_frames(self) -> int:
        """How many frames are given."""
        return 0 if self.given is None else self.given.shape[1]

    @property
    def guided(self) -> bool:
        """Whether there is something to guide, which takes a second row."""
        conditioned = bool(self.prompt_ids or self.negative_ids or self.melody)
        return conditioned and self.settings.guidance_scale != 1

    @property
    def num_rows(self) -> int:
        """How many rows of the batch it takes."""
        return GUIDED_ROWS if self.guided else 1


class Sequence:
    """One request in the engine. Any thread may read it, cancel it and wait for it; only the engine changes it.

    ``inputs`` is the current window as the model is fed: a column of special codes, then the delayed codes, OPEN where
    one is to be drawn. ``cursor`` is the last column that is whole; the next step feeds it and fills the one behind.
    ``complete_frames`` of the piece have all their codes. The first ``num_open`` of its rows hold something.
    """

    def __init__(self, request: SequenceRequest, architecture: Architecture) -> None:
        rule = WindowRule.of(architecture.window_frames, architecture.window_seconds)
        shape = (architecture.decoder.num_codebooks, request.frames)
        self.request = request
        self.state = State.WAITING
        self.rows: tuple[int, ...] = ()
        self.num_open = 0
        self.windows = plan_windows(request.frames, request.given_frames, rule)
        self.codes: Codes = np.full(shape, OPEN, np.int64)
        if request.given is not None:
            self.codes[:, : request.given_frames] = request.given
        self.error: BaseException | None = None
        self.cancel_wanted = False
        self.steps_done = 0
        self.complete_frames = request.given_frames
        self._delays = np.array(architecture.delays)
        self._longest_delay = max(architecture.delays)
        self._special_code = architecture.special_code
        self._draws = uniforms(request.seed, request.frames, shape[0])
        self._ended = threading.Event()
        self.start_window(0)

    def start_window(self, index: int) -> None:
        """Lay out the inputs of a window from the codes that are known so far."""
        self.window_index = index
        window = self.window
        delayed = delay(self.codes[:, window.start : window.stop], self._delays.tolist(), self._special_code)
        first = np.full((len(delayed), 1), self._special_code, np.int64)
        self.inputs = np.concatenate([first, delayed], axis=1)
        self.cursor = int((self.inputs == OPEN).any(axis=0).argmax()) - 1

    @property
    def window(self) -> SlidingWindow:
        """The window being written."""
        return self.windows[self.window_index]

    @property
    def prefill_codes(self) -> Codes:
        """What a row must have heard before the first step of the window: (codebooks, positions)."""
        return self.inputs[:, : self.cursor]

    @property
    def longest_window(self) -> int:
        """The most positions of codes that a row takes in any window."""
        return max(window.length for window in self.windows) + self._longest_delay

    @property
    def steps_total(self) -> int:
        """How many steps it takes, all windows together."""
        return sum(window.length - window.known + self._longest_delay for window in self.windows)

    @property
    def window_done(self) -> bool:
        """Whether the window's last column is whole."""
        return self.cursor + 1 == int(self.inputs.shape[1])

    def take(self, logits: tuple[Logits, ...]) -> None:
        """Draw the column behind the cursor from the scores of each row, (codebooks, size); move on to it."""
        settings = self.request.settings
        scores = guide(logits[0], logits[1], settings.guidance_scale) if self.request.guided else logits[0]
        column = self.inputs[:, self.cursor + 1]
        frames = self.window.start + self.cursor - self._delays
        (wanted,) = np.nonzero(column == OPEN)
        drawn = sample(scores, self._draws[frames.clip(0, len(self._draws) - 1), np.arange(len(frames))], settings)
        column[wanted] = drawn[wanted]
        self.codes[wanted, frames[wanted]] = drawn[wanted]
        self.cursor += 1
        self.steps_done += 1
        self.complete_frames = max(self.complete_frames, self.window.start + self.cursor - self._longest_delay)

    def end(self, state: State, error: BaseException | None = None) -> None:
        """Close it for good."""
        self.error = error
        self.state = state
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether it is finished, cancelled or failed."""
        return self.state in ENDED

    def cancel(self) -> None:
        """Ask for its end; its rows are free at the next step. Without effect once it has ended."""
        self.cancel_wanted = True

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until it has ended; return whether it has."""
        return self._ended.wait(timeout_seconds)

    def result(self) -> Codes:
        """Return its codes (codebooks, frames); raises its error, or GenerationCancelled, where there are none."""
        if self.error is not None:
            raise self.error
        if self.state is not State.FINISHED:
            raise GenerationCancelled
        return self.codes
