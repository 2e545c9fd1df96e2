"""RunnerPool: what the server asks of whatever makes the music, here or on other machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tunesmith.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class Task:
    """What a runner is to make: the sound of ``request`` in the file ``path``, whose suffix is the format.

    ``keep_alive`` is how many seconds the model then stays: 0 leaves at once, below 0 stays for good, None is as the
    pool is set. One that is to be ``alone`` shares its process with no other: it may be what brought the last one down.
    """

    id: str
    model: str
    request: GenerationRequest
    path: Path
    keep_alive: float | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """How far a task is. ``loaded_seconds`` is what loading the model took, told once, when it was not loaded yet."""

    running: bool
    fraction: float = 0.0
    stage: str = ""
    loaded_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A finished file, its length in seconds, and what is known about the sound."""

    path: Path
    duration: float
    sample_rate: int
    channels: int
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A runner that is there: its resident memory and the tasks it works on.

    ``expires_in`` is in seconds, None while it is busy or where it always stays. ``loading_for`` is how many seconds it
    has been loading its model, None once that is ready.
    """

    model: str
    process_id: int
    memory_bytes: int
    busy: int
    expires_in: float | None
    loading_for: float | None = None


ReportCallback = Callable[[ProgressReport], None]


class RunnerPool(Protocol):
    """Makes tasks, loading models as they are needed."""

    async def run(self, task: Task, report: ReportCallback) -> TaskResult:
        """Make the task; raises TaskFailed, or RunnerCrashed. Cancelling the caller cancels the task."""
        ...

    async def load(self, model: str) -> float | None:
        """Load the model for tasks that will come soon; raises as ``run``.

        Return how many seconds it took, None where the model was there already.
        """
        ...

    def capacity(self, model: str) -> int:
        """Return how many tasks of the model can be made at once."""
        ...

    def is_loaded(self, model: str) -> bool:
        """Return whether a task of the model would begin at once where there is a place for it."""
        ...

    def loaded(self) -> tuple[LoadedModel, ...]:
        """Return the runners that are there."""
        ...

    def problem(self) -> str | None:
        """Return in a line that anyone may read why nothing can be made at present, None where something can."""
        ...

    async def close(self, drain_seconds: float) -> None:
        """Let running tasks finish for so long, then end all runners."""
        ...
