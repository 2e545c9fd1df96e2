"""FrameSequence: one stream of frames in the batch, which may have no end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest
from tunesmith.magenta_rt.networks import START
from tunesmith.neural.batch_sequence import BatchSequence, State
from tunesmith.neural.sampling import Codes, DrawSettings, Logits, sample

Array = NDArray[np.float32]

Conditioning = Callable[[int], Array]
"""Returns the source vectors (rows, source width) of a frame; it is asked once a frame, in order, when the frame is
made, so that what it returns may change while a stream plays."""


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """The request for ``num_frames`` frames of codes, None for a stream without an end.

    Each number of ``guidance`` is the scale of a further row, with less conditioning: the logits move away from it by
    so many times the difference. Raises InvalidRequest if there is no frame to generate.
    """

    conditioning: Conditioning
    seed: int
    num_frames: int | None
    settings: DrawSettings = field(default_factory=DrawSettings)
    guidance: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.num_frames is not None and self.num_frames < 1:
            raise InvalidRequest("duration", f"must be at least one frame, got {self.num_frames}")

    @property
    def num_rows(self) -> int:
        """The rows of the batch that it takes."""
        return 1 + len(self.guidance)


class FrameSequence(BatchSequence):
    """One request in the engine; see BatchSequence.

    ``allowed`` is the number of frames that may be made until its reader wants more; any thread may raise it. Up to
    ``slack`` of them may wait until a step is worth its time for others too.
    ``settings`` may be replaced while it runs. ``on_codes`` gets the codes (codebooks,) of each frame, ``on_end``
    nothing; both are called by the engine's thread and must not wait.
    """

    def __init__(
        self, request: FrameRequest, num_codebooks: int, on_codes: Callable[[Codes], None], on_end: Callable[[], None]
    ) -> None:  # fmt: skip
        super().__init__(request.num_rows)
        self.request = request
        self.settings = request.settings
        self.allowed = 0
        self.slack = 0
        self.frames_done = 0
        self.codes: Codes = np.full(num_codebooks, START, np.int64)
        self._on_codes, self._on_end = on_codes, on_end
        # Draws come frame by frame from a stream of their own, so they depend on seed, frame and level alone.
        self._random = np.random.Generator(np.random.Philox(key=request.seed))

    @property
    def is_due(self) -> bool:
        """Whether its reader wants another frame."""
        return self.frames_done < self.allowed

    @property
    def is_urgent(self) -> bool:
        """Whether its reader would soon have to wait."""
        return self.allowed - self.frames_done > self.slack

    @property
    def is_complete(self) -> bool:
        """Whether it has all its frames."""
        return self.frames_done == self.request.num_frames

    def start_frame(self) -> Array:
        """Draw what the codes of the next frame depend on; return its sources (rows, source width)."""
        self._draws = self._random.random(len(self.codes))
        self._drawn = np.empty_like(self.codes)
        return self.request.conditioning(self.frames_done)

    def draw(self, level: int, logits: Logits) -> int:
        """Draw the code of a level from the logits (rows, codebook size) of all its rows."""
        scores = logits[:1]
        for scale, other in zip(self.request.guidance, logits[1:], strict=True):
            # As the published apps guide: away from each row that is conditioned on less.
            scores = scores + np.float32(scale) * (logits[:1] - other)
        code = int(sample(scores, self._draws[level : level + 1], self.settings)[0])
        self._drawn[level] = code
        return code

    def finish_frame(self) -> None:
        """Hand over the codes of the frame that is drawn."""
        self.codes = self._drawn
        self.frames_done += 1
        self._on_codes(self.codes)

    def end(self, state: State, error: BaseException | None = None) -> None:
        """End the sequence, once."""
        super().end(state, error)
        self._on_end()
