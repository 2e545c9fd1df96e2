"""Turns: the order in which the requests of a model get its networks.

First come, first served. Runs of the same length class that wait at the same time go together, as rows of a batch;
whatever else runs goes alone. A run waits for requests whose prompts are still to be encoded, because they may join it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from tunesmith.stable_audio.network_protocol import DiffusionNetworks
from tunesmith.stable_audio.velocity_batch import VelocityBatch

CHECK_SECONDS = 0.2
"""How often a request that waits checks whether it is cancelled."""

Check = Callable[[], None]
"""A function that raises to leave the queue."""


class Preparation:
    """The time from the start of a request to its first run."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end

    def end(self) -> None:
        """Say that the first run waits, or that none will come."""
        end, self._end = self._end, None
        if end:
            end()


class _Ticket:
    """A place in the queue: the length class of a run and how many such runs go together, or nothing to go alone."""

    def __init__(self, length_class: Hashable = None, most_rows: int = 1) -> None:
        self.length_class = length_class
        self.most_rows = most_rows
        self.is_admitted = False
        self.batch: VelocityBatch | None = None


class Turns:
    """The queue in front of the networks. Safe to use from any thread."""

    def __init__(self, networks: DiffusionNetworks) -> None:
        self._networks = networks
        self._changed = threading.Condition()
        self._waiting: deque[_Ticket] = deque()
        self._admitted = self._preparing = 0

    @contextmanager
    def preparing(self) -> Iterator[Preparation]:
        """Announce a run, which other runs wait for until its preparation ends."""
        with self._changed:
            self._preparing += 1
        preparation = Preparation(self._prepared)
        try:
            yield preparation
        finally:
            preparation.end()

    @contextmanager
    def alone(self, check: Check) -> Iterator[None]:
        """Wait for a turn with nothing beside it. Raises what ``check`` raises meanwhile."""
        with self._turn(_Ticket(), check, None):
            yield

    @contextmanager
    def together(
        self, length_class: Hashable, most_rows: int, check: Check, preparation: Preparation
    ) -> Iterator[VelocityBatch]:
        """Wait for a turn with up to ``most_rows`` runs of the class in all; end the preparation on the way."""
        with self._turn(_Ticket(length_class, most_rows), check, preparation) as ticket:
            assert ticket.batch is not None
            try:
                yield ticket.batch
            finally:
                ticket.batch.leave()

    @contextmanager
    def _turn(self, ticket: _Ticket, check: Check, preparation: Preparation | None) -> Iterator[_Ticket]:
        with self._changed:
            self._waiting.append(ticket)
        if preparation:
            preparation.end()
        self._wait(ticket, check)
        try:
            yield ticket
        finally:
            with self._changed:
                self._admitted -= 1
                self._admit()

    def _wait(self, ticket: _Ticket, check: Check) -> None:
        with self._changed:
            self._admit()
            try:
                while not ticket.is_admitted:
                    if not self._changed.wait(CHECK_SECONDS):
                        check()
            except BaseException:
                # Whoever gives up must not keep the others waiting.
                self._give_up(ticket)
                raise

    def _give_up(self, ticket: _Ticket) -> None:
        if ticket.is_admitted:
            self._admitted -= 1
            if ticket.batch:
                ticket.batch.leave()
        else:
            self._waiting.remove(ticket)
        self._admit()

    def _prepared(self) -> None:
        with self._changed:
            self._preparing -= 1
            self._admit()

    def _admit(self) -> None:
        """Admit the first in the queue, and the runs that go with it, once nobody is admitted."""
        # A batch takes nobody in while it runs: its rows have to be at the same noise level.
        if self._admitted:
            return
        for first in self._waiting:
            together = self._with(first)
            # Whoever prepares a run goes alone, so it never waits for a run that waits for it.
            if first.length_class is not None and self._preparing and len(together) < first.most_rows:
                continue
            if first.length_class is not None:
                self._start_batch(together)
            for ticket in together:
                ticket.is_admitted = True
                self._waiting.remove(ticket)
            self._admitted = len(together)
            self._changed.notify_all()
            return

    def _with(self, first: _Ticket) -> list[_Ticket]:
        """Return the tickets that go together with one, itself first."""
        if first.length_class is None:
            return [first]
        of_class = [one for one in self._waiting if one.length_class == first.length_class]
        return of_class[: first.most_rows]

    def _start_batch(self, tickets: list[_Ticket]) -> None:
        batch = VelocityBatch(self._networks, len(tickets))
        for ticket in tickets:
            ticket.batch = batch
