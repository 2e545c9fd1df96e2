"""Keeping the folder of results within its limits, and the jobs told of what is gone."""

from __future__ import annotations

import time

from tunesmith.jobs.results import ResultFiles, Retention
from tunesmith.jobs.store import JobStore
from tunesmith.library.clock import Clock


def tidy_results(
    store: JobStore, results: ResultFiles, retention: Retention, clock: Clock = time.time
) -> tuple[str, ...]:
    """Remove the results that are too old or too many, note it in their jobs, and return their digests."""
    started = clock()
    removed = results.prune(retention, store.result_uses())
    store.forget_results(removed, finished_before=started)
    return removed
