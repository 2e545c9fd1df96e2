"""Scheduler: who waits, and who sits in which rows of the batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from tunesmith.errors import InvalidRequest, QueueFull
from tunesmith.musicgen.sequence import Sequence, State


class Scheduler:
    """A bounded queue, first come first served, in front of a fixed number of rows.

    The first in the queue is never passed by a later one that needs fewer rows. Adding is safe from any thread;
    the rest belongs to the engine's.
    """

    def __init__(self, num_rows: int, max_waiting: int) -> None:
        self.active: list[Sequence] = []
        self._num_rows = num_rows
        self._max_waiting = max_waiting
        self._waiting: deque[Sequence] = deque()
        self._lock = threading.Lock()

    @property
    def running(self) -> list[Sequence]:
        """The sequences that take part in a step."""
        return [sequence for sequence in self.active if sequence.state is State.RUNNING]

    def add(self, sequence: Sequence) -> None:
        """Queue it; raises QueueFull where too many wait, InvalidRequest where it can never have its rows."""
        needed = sequence.request.num_rows
        if needed > self._num_rows:
            raise InvalidRequest("guidance_scale", f"guidance takes {needed} rows, this engine has {self._num_rows}")
        with self._lock:
            if len(self._waiting) >= self._max_waiting:
                raise QueueFull(len(self._waiting))
            self._waiting.append(sequence)

    def admit(self) -> list[Sequence]:
        """Give rows to those that wait, in their order, as long as the first in the queue fits; return them."""
        admitted = []
        with self._lock:
            while self._waiting and len(free := self._free_rows()) >= self._waiting[0].request.num_rows:
                sequence = self._waiting.popleft()
                sequence.rows = tuple(free[: sequence.request.num_rows])
                sequence.state = State.PREFILLING
                self.active.append(sequence)
                admitted.append(sequence)
        return admitted

    def cancelled(self) -> list[Sequence]:
        """Return those that are to be cancelled; those still waiting leave the queue."""
        with self._lock:
            waiting = [sequence for sequence in self._waiting if sequence.cancel_wanted]
            for sequence in waiting:
                self._waiting.remove(sequence)
        return waiting + [sequence for sequence in self.active if sequence.cancel_wanted]

    def release(self, sequence: Sequence) -> tuple[int, ...]:
        """Take its rows away; return them."""
        rows, sequence.rows = sequence.rows, ()
        if sequence in self.active:
            self.active.remove(sequence)
        return rows

    def moves(self) -> Iterable[tuple[Sequence, int, int]]:
        """Yield (sequence, from row, to row) until the taken rows are 0 … n - 1.

        Each is taken for done when the next is asked for.
        """
        while (free := self._free_rows()) and (taken := self._taken_rows()) and free[0] < max(taken):
            source, target = max(taken), free[0]
            sequence = taken[source]
            yield sequence, source, target
            if not sequence.ended:
                sequence.rows = tuple(target if row == source else row for row in sequence.rows)

    def _taken_rows(self) -> dict[int, Sequence]:
        return {row: sequence for sequence in self.active for row in sequence.rows}

    def _free_rows(self) -> list[int]:
        taken = self._taken_rows()
        return [row for row in range(self._num_rows) if row not in taken]
