"""BatchSequence: one request in a batch, with its state and its rows."""

from __future__ import annotations

import enum
import threading

from tunesmith.errors import GenerationCancelled


class State(enum.Enum):
    """The state of a sequence.

    It goes from WAITING to PREFILLING to RUNNING, back to PREFILLING for each further window, and ends once.
    """

    WAITING = "waiting"
    PREFILLING = "prefilling"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = frozenset({State.FINISHED, State.CANCELLED, State.FAILED})


class BatchSequence:
    """One request in an engine. Any thread may read it, cancel it and wait for it; only the engine changes it.

    It takes ``num_rows`` rows of the batch; the first ``num_open`` of ``rows`` hold state.
    """

    def __init__(self, num_rows: int) -> None:
        self.num_rows = num_rows
        self.state = State.WAITING
        self.rows: tuple[int, ...] = ()
        self.num_open = 0
        self.error: BaseException | None = None
        self.cancel_wanted = False
        self._ended = threading.Event()

    def end(self, state: State, error: BaseException | None = None) -> None:
        """End the sequence, once."""
        self.error = error
        self.state = state
        self._ended.set()

    @property
    def ended(self) -> bool:
        """Whether the sequence is finished, cancelled or failed."""
        return self.state in ENDED

    def cancel(self) -> None:
        """Request cancellation; the rows are free at the next step. Has no effect after the end."""
        self.cancel_wanted = True

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the sequence has ended; return whether it has."""
        return self._ended.wait(timeout_seconds)

    def check_result(self) -> None:
        """Raise the error of a sequence that failed, and GenerationCancelled if it has not finished."""
        if self.error is not None:
            raise self.error
        if self.state is not State.FINISHED:
            raise GenerationCancelled
