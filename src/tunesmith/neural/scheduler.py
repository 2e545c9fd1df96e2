"""Scheduler: the queue of waiting sequences, and the assignment of sequences to batch rows."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from tunesmith.errors import InvalidRequest, QueueFull
from tunesmith.neural.batch_sequence import BatchSequence, State

Batched = TypeVar("Batched", bound=BatchSequence)


class Scheduler(Generic[Batched]):
    """A bounded first-come-first-served queue in front of a fixed number of rows.

    A sequence that needs fewer rows never overtakes the first in the queue. ``add`` is safe from any thread; only the
    engine's thread may call the rest.
    """

    def __init__(self, num_rows: int, max_waiting: int) -> None:
        self.active: list[Batched] = []
        self._num_rows = num_rows
        self._max_waiting = max_waiting
        self._waiting: deque[Batched] = deque()
        self._lock = threading.Lock()

    @property
    def running(self) -> list[Batched]:
        """The sequences that take part in a step."""
        return [sequence for sequence in self.active if sequence.state is State.RUNNING]

    @property
    def is_empty(self) -> bool:
        """Whether no sequence waits or has rows."""
        return not self.active and not self._waiting

    def add(self, sequence: Batched) -> None:
        """Queue a sequence. Raises QueueFull if too many wait, and InvalidRequest if it needs more rows than exist."""
        needed = sequence.num_rows
        if needed > self._num_rows:
            raise InvalidRequest("guidance_scale", f"guidance needs {needed} rows, this engine has {self._num_rows}")
        with self._lock:
            if len(self._waiting) >= self._max_waiting:
                raise QueueFull(len(self._waiting))
            self._waiting.append(sequence)

    def admit(self) -> list[Batched]:
        """Assign rows to waiting sequences, in order, while the first in the queue fits; return the admitted ones."""
        admitted = []
        with self._lock:
            # Stop at the first that does not fit: letting smaller ones pass would starve guided sequences.
            while self._waiting and len(free := self._free_rows()) >= self._waiting[0].num_rows:
                sequence = self._waiting.popleft()
                sequence.rows = tuple(free[: sequence.num_rows])
                sequence.state = State.PREFILLING
                self.active.append(sequence)
                admitted.append(sequence)
        return admitted

    def cancelled(self) -> list[Batched]:
        """Return the sequences with a pending cancellation; remove those that still wait from the queue."""
        with self._lock:
            waiting = [sequence for sequence in self._waiting if sequence.cancel_wanted]
            for sequence in waiting:
                self._waiting.remove(sequence)
        return waiting + [sequence for sequence in self.active if sequence.cancel_wanted]

    def release(self, sequence: Batched) -> tuple[int, ...]:
        """Free the rows of a sequence; return them."""
        rows, sequence.rows = sequence.rows, ()
        if sequence in self.active:
            self.active.remove(sequence)
        return rows

    def moves(self) -> Iterable[tuple[Batched, int, int]]:
        """Yield moves (sequence, from row, to row) until the used rows are 0 … n - 1.

        A move counts as done when the caller requests the next one.
        """
        while (free := self._free_rows()) and (taken := self._taken_rows()) and free[0] < max(taken):
            source, target = max(taken), free[0]
            sequence = taken[source]
            yield sequence, source, target
            # A failed copy ends the sequence, whose rows are then free already.
            if not sequence.ended:
                sequence.rows = tuple(target if row == source else row for row in sequence.rows)

    def _taken_rows(self) -> dict[int, Batched]:
        return {row: sequence for sequence in self.active for row in sequence.rows}

    def _free_rows(self) -> list[int]:
        taken = self._taken_rows()
        return [row for row in range(self._num_rows) if row not in taken]
