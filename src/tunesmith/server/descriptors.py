"""Descriptors: how many connections the process may hold open, which systems set low for programs that never ask."""

from __future__ import annotations

import contextlib
import sys

RESERVED = 256
"""Open files kept free for the database, the runners, files that are read and written, and webhooks."""

WANTED = (65_536, 10_240)
"""The most first; each caller who waits or follows takes one. Usual limits are 1024 (Linux) and 256 (macOS)."""


def raise_limit() -> None:
    """Let the process have as many open files as it may allow itself; Windows has no such limit."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in WANTED:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= limit:
            return
        with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return


def connection_limit(wanted: int) -> int:
    """Return how many connections may be open: as many as wanted, or fewer where open files are scarce.

    Each may need a second descriptor, for the file that it is sent.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, (soft - min(RESERVED, soft // 2)) // 2)
