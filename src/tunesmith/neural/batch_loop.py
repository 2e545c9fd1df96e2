"""BatchLoop: the loop that owns a device; one step advances every running sequence."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic

from tunesmith.neural.batch_sequence import State
from tunesmith.neural.scheduler import Batched, Scheduler

OTHER_THREAD_SECONDS = 0.02
"""How long a thread waits while another thread steps for both."""


class BatchLoop(ABC, Generic[Batched]):
    """A batch of sequences, which join and leave it at any step; a subclass says what a step computes.

    ``add``, ``step``, ``advance`` and cancellation are safe from any thread.
    """

    def __init__(self, num_rows: int, max_waiting: int) -> None:
        self.num_rows = num_rows
        self._scheduler: Scheduler[Batched] = Scheduler(num_rows, max_waiting)
        self._stepping = threading.Lock()

    def add(self, sequence: Batched) -> None:
        """Queue a sequence. Raises QueueFull if too many wait, and InvalidRequest if it needs more rows than exist."""
        self._scheduler.add(sequence)

    def step(self) -> None:
        """Release cancelled sequences, admit waiting ones, and advance the running ones."""
        with self._stepping:
            self._step()

    def advance(self, sequence: Batched) -> None:
        """Run one step, or wait briefly for the result of a step that another thread runs."""
        # The thread with the lock steps for all sequences, so blocking on the lock would gain nothing.
        if not self._stepping.acquire(blocking=False):
            sequence.wait(OTHER_THREAD_SECONDS)
            return
        try:
            self._step()
        finally:
            self._stepping.release()

    def drop(self, sequence: Batched) -> None:
        """Cancel a sequence and free its rows now, not at the next step."""
        sequence.cancel()
        with self._stepping:
            self._let_go_of_cancelled()

    @abstractmethod
    def _start(self, sequence: Batched) -> None:
        """Prepare a sequence that has just got its rows; its state becomes RUNNING here or later."""

    @abstractmethod
    def _compute(self, running: list[Batched]) -> Any:
        """Compute one step of the running sequences; a failure here is no single sequence's fault."""

    @abstractmethod
    def _take(self, sequence: Batched, results: Any) -> None:
        """Give a sequence its results; a failure here is its own."""

    @abstractmethod
    def _copy_row(self, source: int, target: int) -> None:
        """Copy the state of a row."""

    @abstractmethod
    def _close_row(self, row: int) -> None:
        """Free the state of a row."""

    def _prepare(self) -> None:
        """Do the work between admission and the step."""

    def _runnable(self) -> list[Batched]:
        """Return the sequences that take part in a step."""
        return self._scheduler.running

    def _forget(self, sequence: Batched) -> None:
        """Drop what is kept of a sequence that ends."""

    def _step(self) -> bool:
        """Run one step; return whether any sequence ran."""
        # Rows of cancelled sequences go first, so that waiting sequences can take them in the same step.
        self._let_go_of_cancelled()
        for sequence in self._scheduler.admit():
            self._start(sequence)
        # The first n rows are computed, so free rows among them would cost as much as used ones.
        self._close_gaps()
        self._prepare()
        running = self._runnable()
        if running:
            self._run_all(running)
        return bool(running)

    def _run_all(self, running: list[Batched]) -> None:
        """Run one step of all running sequences; every sequence that holds rows fails if it fails."""
        try:
            results = self._compute(running)
        # The job runner's error boundary: any failure of the device ends sequences, not the loop.
        except Exception as error:
            for sequence in list(self._scheduler.active):
                self._end(sequence, State.FAILED, error)
            return
        for sequence in running:
            with self._fault_of(sequence):
                self._take(sequence, results)

    def _let_go_of_cancelled(self) -> None:
        for sequence in self._scheduler.cancelled():
            self._end(sequence, State.CANCELLED)

    def _close_gaps(self) -> None:
        for sequence, source, target in self._scheduler.moves():
            # A row that was never opened has no state to copy.
            if sequence.rows.index(source) < sequence.num_open:
                with self._fault_of(sequence):
                    self._copy_row(source, target)
                    self._close_row(source)

    def _end(self, sequence: Batched, state: State, error: Exception | None = None) -> None:
        self._forget(sequence)
        for row in self._scheduler.release(sequence):
            # A broken device may fail here too; the row is free all the same.
            with suppress(Exception):
                self._close_row(row)
        sequence.end(state, error)

    @contextmanager
    def _fault_of(self, sequence: Batched) -> Iterator[None]:
        """Fail only this sequence if the body raises."""
        try:
            yield
        # The job runner's error boundary: one bad sequence must not stop the others.
        except Exception as error:
            self._end(sequence, State.FAILED, error)
