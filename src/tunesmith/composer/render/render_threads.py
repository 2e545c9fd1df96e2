"""Threads for rendering: the work is in NumPy, SciPy and soxr, which release the interpreter's lock.

Whoever starts tasks also uses their results in a fixed order, so that the number of threads never changes a sample.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

MOST_THREADS = 4
"""Beyond this, the parts of a piece are too few to keep the threads busy."""

Result = TypeVar("Result")


def usable_threads() -> int:
    """Return the number of threads that rendering uses by default: the cores of this process, at most MOST_THREADS."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, allowed)


class RenderThreads:
    """A pool of ``count`` threads; with one, every task runs at once in the caller's thread."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, "render") if count > 1 else None

    def start(self, task: Callable[[], Result]) -> Future[Result]:
        """Start ``task``, or wait in line for a free thread, and return its future result."""
        if self._pool is not None:
            return self._pool.submit(task)
        done: Future[Result] = Future()
        done.set_result(task())
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
