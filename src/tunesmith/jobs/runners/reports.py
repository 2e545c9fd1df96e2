"""Messages of a runner's process as what the server makes of them: reports of progress, and failures."""

from __future__ import annotations

from tunesmith.errors import TaskFailed
from tunesmith.jobs.runners.protocol import InProgress, Streamed, Streaming, TaskProblem, Unloadable
from tunesmith.jobs.runners.tasks import ProgressReport, StreamReport


def report_of(message: InProgress | Streaming | Streamed) -> ProgressReport:
    """Return the report of a task's progress, or of its stream."""
    match message:
        case Streaming():
            return ProgressReport(running=True, stream=StreamReport(0, message.metadata, message.size))
        case Streamed():
            return ProgressReport(running=True, stream=StreamReport(message.bytes))
        case _:
            return ProgressReport(running=True, fraction=message.fraction, stage=message.stage)


def failure_of(message: Unloadable | TaskProblem) -> TaskFailed:
    """Return the error of a task, or of a model, that failed."""
    return TaskFailed(message.kind, message.message, is_mistake=message.mistake, trace=message.trace)
