"""Engine: the loop that owns the device; one step advances every running sequence by one position."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.conditioning import TextStates
from tunesmith.musicgen.prefill import prefill_rows
from tunesmith.musicgen.runner import Codec, Codes, Logits, Runner
from tunesmith.musicgen.sequence import Sequence, SequenceRequest
from tunesmith.neural.batch_loop import BatchLoop
from tunesmith.neural.batch_sequence import State
from tunesmith.neural.t5_tokenizer import Tokenizer

FramesAsTheyCome = Generator[Codes, None, None]
OnStep = Callable[[int, int], None]
"""A callback with the number of steps done and the total."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Limits of an engine.

    ``max_waiting`` sequences fit in the queue. ``chunk`` is the number of prefill positions between two steps; on CPUs
    longer chunks are no faster and only delay the running sequences. ``remembered_texts`` encoded texts stay cached.
    """

    max_waiting: int = 64
    chunk: int = 16
    remembered_texts: int = 32


class Engine(BatchLoop[Sequence]):
    """A model with its batch of sequences.

    ``submit``, ``advance``, ``run``, ``stream`` and cancellation are safe from any thread. A step also runs one chunk
    of a prefill.
    """

    def __init__(
        self, runner: Runner, codec: Codec, tokenizer: Tokenizer, limits: EngineLimits = EngineLimits()
    ) -> None:  # fmt: skip
        super().__init__(runner.num_rows, limits.max_waiting)
        self.architecture = runner.architecture
        self.codec = codec
        self.tokenizer = tokenizer
        self._runner = runner
        self._texts = TextStates(runner, limits.remembered_texts)
        self._chunk = limits.chunk
        self._preparing: deque[tuple[Sequence, Iterator[None]]] = deque()

    def submit(self, request: SequenceRequest) -> Sequence:
        """Queue a request and return its sequence.

        Raises QueueFull if too many sequences wait, and InvalidRequest if this engine can never run the request.
        """
        sequence = Sequence(request, self.architecture)
        self.add(sequence)
        return sequence

    def run(self, sequence: Sequence, on_step: OnStep, cancelled: Callable[[], bool]) -> Codes:
        """Run steps until the sequence has ended; return its codes (codebooks, frames).

        ``on_step`` gets the steps done and the total after each step; ``cancelled`` is checked before each. Raises
        GenerationCancelled, or the error that ended the sequence.
        """
        for _ in self.stream(sequence, sequence.request.frames, on_step, cancelled):
            pass
        return sequence.result()

    def stream(
        self, sequence: Sequence, chunk: int, on_step: OnStep, cancelled: Callable[[], bool]
    ) -> FramesAsTheyCome:
        """Run steps until the sequence has ended; yield its codes as they complete, ``chunk`` frames at a time.

        Closing the iterator early cancels the sequence. Raises the same errors as ``run``.
        """
        sent = 0
        try:
            while not sequence.ended:
                if cancelled():
                    sequence.cancel()
                self.advance(sequence)
                on_step(sequence.steps_done, sequence.steps_total)
                while sequence.complete_frames - sent >= chunk:
                    yield sequence.codes[:, sent : sent + chunk]
                    sent += chunk
            rest = sequence.result()[:, sent:]
            if rest.shape[1]:
                yield rest
        finally:
            # The reader stopped early, or an exception was raised: free the rows now, not at the next step.
            if not sequence.ended:
                self.drop(sequence)

    def _start(self, sequence: Sequence) -> None:
        self._preparing.append((sequence, prefill_rows(sequence, self._runner, self._texts, self._chunk)))

    def _prepare(self) -> None:
        """Run one chunk of one prefill, round robin, so that a long prompt does not delay a short one."""
        if not self._preparing:
            return
        sequence, parts = self._preparing[0]
        with self._fault_of(sequence):
            # ``self`` is a sentinel for an exhausted iterator, which yields None for each chunk.
            if next(parts, self) is self:
                self._preparing.popleft()
                sequence.state = State.RUNNING
            else:
                self._preparing.rotate(-1)

    def _compute(self, running: list[Sequence]) -> Logits:
        return self._runner.step(*self._inputs(running))

    def _inputs(self, running: list[Sequence]) -> tuple[Codes, NDArray[np.bool_]]:
        count = 1 + max(row for sequence in running for row in sequence.rows)
        shape = (count, self.architecture.decoder.num_codebooks)
        # Rows that do not advance still take part in the step; the special code is a harmless input.
        codes = np.full(shape, self.architecture.special_code, np.int64)
        advancing = np.zeros(count, np.bool_)
        for sequence in running:
            rows = list(sequence.rows)
            codes[rows] = sequence.inputs[:, sequence.cursor]
            advancing[rows] = True
        return codes, advancing

    def _take(self, sequence: Sequence, results: Logits) -> None:
        sequence.take(tuple(results[row] for row in sequence.rows))
        if not sequence.window_done:
            return
        if sequence.window_index + 1 == len(sequence.windows):
            self._end(sequence, State.FINISHED)
        else:
            # Windows beyond the trained length start again with a prefill of the overlap.
            sequence.start_window(sequence.window_index + 1)
            sequence.state = State.PREFILLING
            self._start(sequence)

    def _copy_row(self, source: int, target: int) -> None:
        self._runner.copy_row(source, target)

    def _close_row(self, row: int) -> None:
        self._runner.close_row(row)

    def _forget(self, sequence: Sequence) -> None:
        self._preparing = deque(entry for entry in self._preparing if entry[0] is not sequence)
