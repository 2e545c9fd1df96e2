"""How slow this machine is now, so that a limit on time is one on work: a fixed loop against its usual time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

STEPS, RUNS = 100_000, 5
USUAL_SECONDS = 0.0035
"""How long the loop takes on a core of a shared server (AMD EPYC, 2.4 GHz, Python 3.11) without other work."""


def slowness(clock: Callable[[], float] = time.process_time) -> float:
    """Return by how much a limit grows on this machine, at least 1.

    ``clock`` is the one that the limit is measured with: processor time, or time that passes, which other work on the
    machine lengthens.
    """
    return max(1.0, statistics.median(_seconds(clock) for _ in range(RUNS)) / USUAL_SECONDS)


def _seconds(clock: Callable[[], float]) -> float:
    began, total = clock(), 0
    for number in range(STEPS):
        total += number
    return clock() - began
