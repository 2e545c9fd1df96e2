"""SoundStream: the sound of a sequence, decoded in a thread of its own while the next frames are written.

    engine's thread     codes ─┐            writes no more than the reader wants
    decoder's thread           └─ chunk ─ block ─┐
    reader's thread                              └─ read()

Chunks have fixed lengths, whatever the threads do: rounding in the codec may differ with the length of a chunk.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tunesmith.audio.spool import Samples
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck, never_cancelled
from tunesmith.magenta_rt.codec_stream import LOOK_AHEAD_FRAMES, SpectraStream
from tunesmith.magenta_rt.sequence import FrameRequest, FrameSequence
from tunesmith.neural.batch_sequence import State
from tunesmith.neural.native_thread import NativeThread
from tunesmith.neural.sampling import Codes

POLL_SECONDS = 0.05
"""How often a waiting reader looks whether it is cancelled."""


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """Frames decoded at a time: ``first``, then ``rest``; at most ``ahead`` frames are made beyond what is read.

    Up to ``slack`` frames fewer may be made ahead, until a step is worth its time for several streams.
    """

    first: int
    rest: int
    ahead: int
    slack: int = 0

    def frames_until(self, block: int) -> int:
        """Return the frames of codes that the block of this number, from 0, ends with."""
        return self.first + block * self.rest


FILE_CHUNKS = ChunkPlan(first=3, rest=5, ahead=40, slack=25)
"""Short at first, for an early sound; five frames take a fifth less time than one by one."""
LIVE_CHUNKS = ChunkPlan(first=2 + LOOK_AHEAD_FRAMES, rest=2, ahead=2)
"""Blocks of 80 ms. The codes of one more are written meanwhile: in turn, two processors would be hardly fast enough."""


class SoundStream:
    """The blocks of sound of one request; close it after use.

    ``wake`` tells the engine that more may be made. Only one thread at a time may read.
    """

    def __init__(
        self, request: FrameRequest, decoder: SpectraStream, plan: ChunkPlan, num_codebooks: int,
        wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self.sequence = FrameSequence(request, num_codebooks, self._add_codes, self._notify)
        self.sequence.slack = plan.slack
        self._decoder = decoder
        self._plan = plan
        self._wake = wake
        self._changed = threading.Condition()
        self._codes: deque[Codes] = deque()
        self._blocks: deque[Samples] = deque()
        self._frames_decoded = self._num_read = 0
        self._is_closed = self._is_decoded = False
        self._error: BaseException | None = None
        if plan.ahead:
            self.sequence.allowed = plan.first + plan.ahead
        NativeThread(self._decode_all, self.close, "spectrostream").start()

    def read(self, cancelled: CancelCheck = never_cancelled) -> Samples | None:
        """Return the next block (channels, samples), None after the last.

        Raises the error that ended the sequence, and GenerationCancelled once ``cancelled()`` is true or the stream is
        closed.
        """
        self.sequence.allowed = self._plan.frames_until(self._num_read) + self._plan.ahead
        self._wake()
        with self._changed:
            while not self._blocks and not self._is_decoded and not self._is_closed:
                if cancelled():
                    break
                self._changed.wait(POLL_SECONDS)
            if self._is_closed or cancelled():
                raise GenerationCancelled
            if self._error is not None:
                raise self._error
            if not self._blocks:
                return None
            self._num_read += 1
            return self._blocks.popleft()

    def close(self) -> None:
        """End the stream and free its rows within a frame, without waiting for that; closing twice is harmless."""
        self.sequence.cancel()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._wake()

    def _add_codes(self, codes: Codes) -> None:
        with self._changed:
            self._codes.append(codes)
            self._changed.notify_all()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _decode_all(self) -> None:
        try:
            while (chunk := self._next_chunk()) is not None:
                self._frames_decoded += chunk.shape[1]
                is_last = self._frames_decoded == self.sequence.request.num_frames
                block = self._decoder.feed(chunk, is_last=is_last)
                with self._changed:
                    self._blocks.append(block)
                    self._changed.notify_all()
        # The job runner's error boundary: the reader raises it.
        except BaseException as error:
            self._error = error
            self.sequence.cancel()
            self._wake()
        with self._changed:
            self._is_decoded = True
            self._changed.notify_all()

    def _next_chunk(self) -> Codes | None:
        """Wait for the next codes (codebooks, frames); None at the end. Raises what ended the sequence."""
        wanted = self._plan.rest if self._frames_decoded else self._plan.first
        with self._changed:
            while len(self._codes) < wanted and not self.sequence.ended and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            # What a stream that failed or was cancelled has left is not worth decoding.
            if self.sequence.ended and self.sequence.state is not State.FINISHED:
                self.sequence.check_result()
            chunk = [self._codes.popleft() for _ in range(min(wanted, len(self._codes)))]
        return np.stack(chunk, axis=1) if chunk else None
