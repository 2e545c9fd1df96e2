"""Tasks: jobs as runners get them, their progress and their results; and runners as others see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class Task:
    """A job as a runner gets it: write the audio of ``request`` to ``path``, whose suffix is the format.

    With ``stream``, a model that can also writes the sound to ``stream_path(path)`` while it is made.
    ``keep_alive`` is how many seconds the model then stays: 0 leaves at once, below 0 stays for good, None is as the
    pool is set. One that is to be ``alone`` shares its process with no other: it may be what brought the last one down.
    ``layers`` are the intensities of the format ``layers``.
    """

    id: str
    model: str
    request: GenerationRequest
    path: Path
    keep_alive: float | None = None
    alone: bool = False
    stream: bool = False
    layers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamReport:
    """The stream of a task: ``bytes`` so far; the first report has the ``metadata``, and ``size`` if that is known."""

    bytes: int = 0
    metadata: Mapping[str, Any] | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """The progress of a task; ``loaded_seconds``, the time to load the model, is set once, by the task that did.

    A report with a ``stream`` tells only of that.
    """

    running: bool
    fraction: float = 0.0
    stage: str = ""
    loaded_seconds: float | None = None
    stream: StreamReport | None = None


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A finished file, its duration in seconds and its metadata."""

    path: Path
    duration: float
    sample_rate: int
    channels: int
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A live runner: its resident memory and the number of its tasks.

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


def stream_path(path: Path) -> Path:
    """Return the path of the stream of the task that writes ``path``."""
    return path.with_name(f"{path.stem}.stream{path.suffix}")
