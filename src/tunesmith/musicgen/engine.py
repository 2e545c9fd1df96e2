"""Engine: the loop that owns the device; one step advances every running sequence by one position."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.conditioning import TextStates
from tunesmith.musicgen.prefill import prefill_rows
from tunesmith.musicgen.runner import Codec, Codes, Logits, Runner
from tunesmith.musicgen.scheduler import Scheduler
from tunesmith.musicgen.sequence import Sequence, SequenceRequest, State
from tunesmith.neural.t5_tokenizer import Tokenizer

OTHER_THREAD_SECONDS = 0.02
"""How long a thread waits while another thread steps for both."""

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


class Engine:
    """A model with its batch of sequences.

    ``submit``, ``advance``, ``run``, ``stream`` and cancellation are safe from any thread.
    """

    def __init__(
        self, runner: Runner, codec: Codec, tokenizer: Tokenizer, limits: EngineLimits = EngineLimits()
    ) -> None:  # fmt: skip
        self.architecture = runner.architecture
        self.codec = codec
        self.tokenizer = tokenizer
        self.num_rows = runner.num_rows
        self._runner = runner
        self._scheduler = Scheduler(runner.num_rows, limits.max_waiting)
        self._texts = TextStates(runner, limits.remembered_texts)
        self._chunk = limits.chunk
        self._preparing: deque[tuple[Sequence, Iterator[None]]] = deque()
        self._stepping = threading.Lock()

    def submit(self, request: SequenceRequest) -> Sequence:
        """Queue a request and return its sequence.

        Raises QueueFull if too many sequences wait, and InvalidRequest if this engine can never run the request.
        """
        sequence = Sequence(request, self.architecture)
        self._scheduler.add(sequence)
        return sequence

    def step(self) -> None:
        """Release cancelled sequences, admit waiting ones, run one prefill chunk, and advance the running ones."""
        with self._stepping:
            self._step()

    def advance(self, sequence: Sequence) -> None:
        """Run one step, or wait briefly for the result of a step that another thread runs."""
        # The thread with the lock steps for all sequences, so blocking on the lock would gain nothing.
        if not self._stepping.acquire(blocking=False):
            sequence.wait(OTHER_THREAD_SECONDS)
            return
        try:
            self._step()
        finally:
            self._stepping.release()

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
                sequence.cancel()
                with self._stepping:
                    self._let_go_of_cancelled()

    def _step(self) -> None:
        # Rows of cancelled sequences go first, so that waiting sequences can take them in the same step.
        self._let_go_of_cancelled()
        for sequence in self._scheduler.admit():
            self._start_preparing(sequence)
        # The runner steps the first n rows, so free rows among them would cost as much as used ones.
        self._close_gaps()
        self._prefill_next()
        running = self._scheduler.running
        if running:
            self._run_all(running)

    def _run_all(self, running: list[Sequence]) -> None:
        """Run one position of all running sequences.

        A failure here is no single sequence's fault, so every sequence that holds rows fails.
        """
        try:
            logits = self._runner.step(*self._inputs(running))
        # The job runner's error boundary: any failure of the device ends sequences, not the loop.
        except Exception as error:
            for sequence in list(self._scheduler.active):
                self._end(sequence, State.FAILED, error)
            return
        for sequence in running:
            with self._fault_of(sequence):
                self._take(sequence, logits)

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

    def _take(self, sequence: Sequence, logits: Logits) -> None:
        sequence.take(tuple(logits[row] for row in sequence.rows))
        if not sequence.window_done:
            return
        if sequence.window_index + 1 == len(sequence.windows):
            self._end(sequence, State.FINISHED)
        else:
            # Windows beyond the trained length start again with a prefill of the overlap.
            sequence.start_window(sequence.window_index + 1)
            sequence.state = State.PREFILLING
            self._start_preparing(sequence)

    def _start_preparing(self, sequence: Sequence) -> None:
        self._preparing.append((sequence, prefill_rows(sequence, self._runner, self._texts, self._chunk)))

    def _prefill_next(self) -> None:
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

    def _let_go_of_cancelled(self) -> None:
        for sequence in self._scheduler.cancelled():
            self._end(sequence, State.CANCELLED)

    def _close_gaps(self) -> None:
        for sequence, source, target in self._scheduler.moves():
            # A row that was never opened has no state to copy.
            if sequence.rows.index(source) < sequence.num_open:
                with self._fault_of(sequence):
                    self._runner.copy_row(source, target)
                    self._runner.close_row(source)

    def _end(self, sequence: Sequence, state: State, error: Exception | None = None) -> None:
        self._preparing = deque(entry for entry in self._preparing if entry[0] is not sequence)
        for row in self._scheduler.release(sequence):
            # A broken device may fail here too; the row is free all the same.
            with suppress(Exception):
                self._runner.close_row(row)
        sequence.end(state, error)

    @contextmanager
    def _fault_of(self, sequence: Sequence) -> Iterator[None]:
        """Fail only this sequence if the body raises."""
        try:
            yield
        # The job runner's error boundary: one bad sequence must not stop the others.
        except Exception as error:
            self._end(sequence, State.FAILED, error)
