"""The engine: a thread that writes one frame of every stream at a time, as long as their readers want more."""

from __future__ import annotations

import threading

import numpy as np

from tunesmith.magenta_rt.codec_stream import SpectroStreamDecoder
from tunesmith.magenta_rt.networks import START, FrameModel
from tunesmith.magenta_rt.sequence import FrameRequest, FrameSequence
from tunesmith.magenta_rt.sound_stream import FILE_CHUNKS, ChunkPlan, SoundStream
from tunesmith.neural.batch_loop import BatchLoop
from tunesmith.neural.batch_sequence import State
from tunesmith.neural.native_thread import NativeThread
from tunesmith.neural.sampling import Codes, Logits

Rows = slice | list[int]
"""The rows of a sequence, as an index."""

MAX_WAITING = 64
IDLE_SECONDS = 1.0
"""How long the thread of an engine without streams stays."""


class FrameEngine(BatchLoop[FrameSequence]):
    """A model with its batch of streams, which join and leave it at any frame.

    Its thread runs only while there are streams; one whose reader is slow takes no part in the steps meanwhile.
    """

    def __init__(self, model: FrameModel, decoder: SpectroStreamDecoder) -> None:
        super().__init__(model.num_rows, MAX_WAITING)
        self.architecture = model.architecture
        self._model = model
        self._decoder = decoder
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._thread: NativeThread | None = None
        self._is_stopping = False

    def open(self, request: FrameRequest, plan: ChunkPlan = FILE_CHUNKS) -> SoundStream:
        """Start a stream.

        Raises QueueFull if too many wait for a row, and InvalidRequest if it needs more rows than there are.
        """
        stream = SoundStream(
            request, self._decoder.stream(), plan, self.architecture.num_codebooks, self._wake.set
        )  # fmt: skip
        try:
            self.add(stream.sequence)
        except Exception:
            stream.close()
            raise
        with self._starting:
            if self._thread is None:
                self._thread = NativeThread(self._run, self._stop, "magenta-rt")
                self._thread.start()
        self._wake.set()
        return stream

    def _stop(self) -> None:
        self._is_stopping = True
        self._wake.set()

    def _run(self) -> None:
        while not self._is_stopping:
            # Cleared before the step looks for work: what comes meanwhile sets it again.
            self._wake.clear()
            with self._stepping:
                has_run = self._step()
            if not has_run and not self._wake.wait(IDLE_SECONDS):
                with self._starting:
                    if self._scheduler.is_empty:
                        self._thread = None
                        return

    def _runnable(self) -> list[FrameSequence]:
        # A step of all rows takes little longer than one of a few: it waits until one stream needs it, and takes along
        # all that have room.
        running = self._scheduler.running
        if not any(sequence.is_urgent for sequence in running):
            return []
        return [sequence for sequence in running if sequence.is_due]

    def _start(self, sequence: FrameSequence) -> None:
        with self._fault_of(sequence):
            for row in sequence.rows:
                self._model.open_row(row)
                sequence.num_open += 1
            sequence.state = State.RUNNING

    def _compute(self, running: list[FrameSequence]) -> None:
        """Write a frame of the sequences, level by level; rows of others take part, but stay as they are."""
        count = 1 + max(row for sequence in running for row in sequence.rows)
        previous = np.full((count, self.architecture.num_codebooks), START, np.int64)
        sources = np.zeros((count, self.architecture.source_width), np.float32)
        advancing = np.zeros(count, np.bool_)
        drawing: list[tuple[FrameSequence, Rows]] = []
        for sequence in running:
            with self._fault_of(sequence):
                first, *others = sequence.rows
                # Views are faster than copies, and there are 300 draws a second for each stream.
                rows: Rows = [first, *others] if others else slice(first, first + 1)
                previous[rows], sources[rows], advancing[rows] = sequence.codes, sequence.start_frame(), True
                drawing.append((sequence, rows))
        self._model.start_frame(previous, sources, advancing)
        codes: Codes | None = None
        for level in range(self.architecture.num_codebooks):
            logits, codes = self._model.logits(level, codes), np.zeros(count, np.int64)
            for sequence, rows in drawing:
                self._draw(sequence, level, logits[rows], codes, rows)

    def _draw(self, sequence: FrameSequence, level: int, logits: Logits, codes: Codes, rows: Rows) -> None:
        """Draw a code from the logits of a sequence's rows, and write it to these rows of the codes."""
        if sequence.ended:
            return
        # As ``_fault_of``, which takes as long as half of a draw.
        try:
            codes[rows] = sequence.draw(level, logits)
        except Exception as error:
            self._end(sequence, State.FAILED, error)

    def _take(self, sequence: FrameSequence, results: None) -> None:  # noqa: ARG002
        if sequence.ended:
            return
        sequence.finish_frame()
        if sequence.is_complete:
            self._end(sequence, State.FINISHED)

    def _copy_row(self, source: int, target: int) -> None:
        self._model.copy_row(source, target)

    def _close_row(self, row: int) -> None:
        """Do nothing: a row is cleared when it is opened."""
