"""Keeping the folder of results within its limits, and the jobs told of what is gone."""

from __future__ import annotations

import time

from tunesmith.jobs.results import ResultFiles, Retention
from tunesmith.jobs.store import JobStore
from tunesmith.library.clock import Clock


def tidy_results(
    store: JobStore, results: ResultFiles, retention: Retention, clock: Clock = time.time, most: int | None = None
) -> tuple[str, ...]:
    """Remove results that are too old or too many, ``most`` at once; note it in their jobs; return their digests."""
    started = clock()
    removed = results.prune(retention, store.result_uses(), most)
    store.forget_results(removed, finished_before=started)
    return removed
