"""The logs of a prediction: notes, and progress in the format of tqdm, which clients parse.

They derive from the job alone and only grow while it runs, so every server and every poll gives the same text.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.jobs.job import Job, JobState
from tunesmith.server.apis.responses import warnings_of

STEPS = 20
FRAMES_A_SECOND = 50
_WIDTH = 10


def logs_of(job: Job) -> str:
    """Return the present logs of a job."""
    return "".join(f"{line}\n" for line in _lines(job))


def progress_line(current: int, total: int) -> str:
    """Return a progress line: `` 42%|####      | 210/500``."""
    done = current / total
    bar = "#" * int(done * _WIDTH)
    return f"{int(done * 100):3d}%|{bar:<{_WIDTH}}| {current}/{total}"


def _lines(job: Job) -> Iterator[str]:
    if job.started_at is None:
        return
    yield f"Using seed {job.request.seed}"
    asked = job.fallback_for
    if asked is not None:
        yield f"{asked} is not installed here: {job.generated_by} makes this as its stand-in"
    yield from job.options.notes
    if job.running_at is None:
        return
    progress = 1.0 if job.state is JobState.SUCCEEDED else min(1.0, max(0.0, job.progress))
    total = max(STEPS, round(job.audio_seconds * FRAMES_A_SECOND))
    # The small term absorbs rounding errors of the progress.
    for step in range(int(progress * STEPS + 1e-9) + 1):
        yield progress_line(total * step // STEPS, total)
    if job.state is JobState.SUCCEEDED:
        yield from (f"warning: {' '.join(warning.split())}" for warning in warnings_of(job))
