"""Engine: the loop that owns the device; one step takes every running sequence one position further."""

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
from tunesmith.musicgen.tokenizer import Tokenizer

OTHER_THREAD_SECONDS = 0.02
"""How long a thread waits while another one steps for both."""

FramesAsTheyCome = Generator[Codes, None, None]
OnStep = Callable[[int, int], None]
"""Called with the steps done and the steps there are."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """``max_waiting`` sequences in the queue; ``chunk`` positions of a prompt between two steps of the others
    (on CPUs longer pieces are no faster, they only keep the others waiting);
    ``remembered_texts`` kept encoded.
    """

    max_waiting: int = 64
    chunk: int = 16
    remembered_texts: int = 32


class Engine:
    """A model with its batch. ``submit``, ``advance``, ``run``, ``stream`` and cancelling are safe from any thread."""

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
        """Queue a request; raises QueueFull where too many wait, InvalidRequest where it cannot be done here."""
        sequence = Sequence(request, self.architecture)
        self._scheduler.add(sequence)
        return sequence

    def step(self) -> None:
        """Let go of the cancelled, admit the waiting, prepare one piece, and take the running one position further."""
        with self._stepping:
            self._step()

    def advance(self, sequence: Sequence) -> None:
        """Step, or where another thread is stepping, wait a moment for what comes of it."""
        if not self._stepping.acquire(blocking=False):
            sequence.wait(OTHER_THREAD_SECONDS)
            return
        try:
            self._step()
        finally:
            self._stepping.release()

    def run(self, sequence: Sequence, on_step: OnStep, cancelled: Callable[[], bool]) -> Codes:
        """Step until the sequence has ended; return its codes, or raise what kept it from them."""
        for _ in self.stream(sequence, sequence.request.frames, on_step, cancelled):
            pass
        return sequence.result()

    def stream(
        self, sequence: Sequence, piece: int, on_step: OnStep, cancelled: Callable[[], bool]
    ) -> FramesAsTheyCome:
        """Step until the sequence has ended; yield its frames as they are complete, ``piece`` at a time.

        A caller that stops listening cancels the sequence.
        """
        sent = 0
        try:
            while not sequence.ended:
                if cancelled():
                    sequence.cancel()
                self.advance(sequence)
                on_step(sequence.steps_done, sequence.steps_total)
                while sequence.complete_frames - sent >= piece:
                    yield sequence.codes[:, sent : sent + piece]
                    sent += piece
            rest = sequence.result()[:, sent:]
            if rest.shape[1]:
                yield rest
        finally:
            if not sequence.ended:
                sequence.cancel()
                with self._stepping:
                    self._let_go_of_cancelled()

    def _step(self) -> None:
        self._let_go_of_cancelled()
        for sequence in self._scheduler.admit():
            self._start_preparing(sequence)
        self._close_gaps()
        self._prefill_next()
        running = self._scheduler.running
        if running:
            self._run_all(running)

    def _run_all(self, running: list[Sequence]) -> None:
        """One position for all of them; what fails here is no single sequence's fault, so all that sit in rows fail."""
        try:
            logits = self._runner.step(*self._inputs(running))
        except Exception as error:  # the border of the job runner
            for sequence in list(self._scheduler.active):
                self._end(sequence, State.FAILED, error)
            return
        for sequence in running:
            with self._fault_of(sequence):
                self._take(sequence, logits)

    def _inputs(self, running: list[Sequence]) -> tuple[Codes, NDArray[np.bool_]]:
        count = 1 + max(row for sequence in running for row in sequence.rows)
        shape = (count, self.architecture.decoder.num_codebooks)
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
            sequence.start_window(sequence.window_index + 1)
            sequence.state = State.PREFILLING
            self._start_preparing(sequence)

    def _start_preparing(self, sequence: Sequence) -> None:
        self._preparing.append((sequence, prefill_rows(sequence, self._runner, self._texts, self._chunk)))

    def _prefill_next(self) -> None:
        """Do one piece of a preparation, of each in turn, so that a long prompt does not keep a short one waiting."""
        if not self._preparing:
            return
        sequence, pieces = self._preparing[0]
        with self._fault_of(sequence):
            if next(pieces, self) is self:
                self._preparing.popleft()
                sequence.state = State.RUNNING
            else:
                self._preparing.rotate(-1)

    def _let_go_of_cancelled(self) -> None:
        for sequence in self._scheduler.cancelled():
            self._end(sequence, State.CANCELLED)

    def _close_gaps(self) -> None:
        for sequence, source, target in self._scheduler.moves():
            if sequence.rows.index(source) < sequence.num_open:
                with self._fault_of(sequence):
                    self._runner.copy_row(source, target)
                    self._runner.close_row(source)

    def _end(self, sequence: Sequence, state: State, error: Exception | None = None) -> None:
        self._preparing = deque(entry for entry in self._preparing if entry[0] is not sequence)
        for row in self._scheduler.release(sequence):
            with suppress(Exception):  # a device that has failed may fail in this too; the row is free all the same
                self._runner.close_row(row)
        sequence.end(state, error)

    @contextmanager
    def _fault_of(self, sequence: Sequence) -> Iterator[None]:
        """Let what goes wrong inside be the end of this sequence alone."""
        try:
            yield
        except Exception as error:  # the border of the job runner
            self._end(sequence, State.FAILED, error)
