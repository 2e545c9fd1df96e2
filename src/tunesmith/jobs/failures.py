"""The failure that is recorded of a job for each error that stopped it."""

from __future__ import annotations

import traceback
from pathlib import Path

from tunesmith.errors import BUG_MESSAGE, INTERNAL_ERROR, DiskFull, FolderUnavailable, RunnerCrashed, TaskFailed
from tunesmith.jobs.job import Failure
from tunesmith.jobs.queue import CRASHED

REMOVED = Failure(FolderUnavailable.code, "the folder of results was removed while the job ran")
BUG = Failure(INTERNAL_ERROR, BUG_MESSAGE)


def transient_failure(error: Exception, path: Path) -> Failure | None:
    """Return the failure to record if a retry does not help, or None if the error is not transient.

    ``path`` is the file that the job was to write.
    """
    if isinstance(error, RunnerCrashed):
        return CRASHED
    if isinstance(error, FolderUnavailable):
        return Failure(error.code, error.problem)
    # A runner reports a folder that was removed as an internal error, because it cannot know the cause.
    is_internal = isinstance(error, TaskFailed) and error.kind == INTERNAL_ERROR
    return REMOVED if is_internal and not path.parent.is_dir() else None


def final_failure(error: Exception) -> tuple[Failure, str]:
    """Return the failure of an error that no retry helps, and the traceback for the log: empty if it is no bug."""
    if isinstance(error, TaskFailed):
        return Failure(error.kind, str(error)), error.trace
    if isinstance(error, DiskFull):
        return Failure(error.code, str(error)), ""
    return BUG, "".join(traceback.format_exception(error))
