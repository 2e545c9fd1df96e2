"""A server without HTTP, to be killed: it hands in and finishes jobs as fast as it can, and says so on each line.

Run as a program with the database's URL; each line is printed only after the database has acknowledged what it says.
"""

from __future__ import annotations

import sys

from work import RESULT, asked

from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import JobStore
from tunesmith.jobs.worker_registry import ProcessIdentity, WorkerRegistry
from tunesmith.library.database import Database

MAX_WAITING = 5
"""So few jobs wait that each kill meets some at work."""


def say(what: str, job_id: str) -> None:
    sys.stdout.write(f"{what} {job_id}\n")
    sys.stdout.flush()


def serve(url: str) -> None:
    database = Database(url)
    store, queue, workers = JobStore(database, 10_000), JobQueue(database), WorkerRegistry(database)
    worker = workers.join(ProcessIdentity.own())
    workers.remove_dead()
    queue.recover()
    while True:
        while sum(queue.waiting_models().values()) < MAX_WAITING:
            say("submitted", store.submit(asked("a")).job.id)
        claim = queue.claim(worker)
        if claim is not None:
            queue.running(claim)
            queue.progress(claim, 0.5, "playing")
            if queue.succeed(claim, RESULT, {"worker": worker}):
                say("finished", claim.job.id)


if __name__ == "__main__":
    serve(sys.argv[1])
