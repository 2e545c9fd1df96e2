"""Retries with back-off: which failures are transient, how long to wait, and within which deadline."""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.client.reply import Reply

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
MAX_UNANSWERED = 4
"""After how many requests in a row without a reply the server counts as unreachable."""

PASSING = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses of transient failures."""

Clock = Callable[[], float]
Draw = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock, ``seconds`` after it was set."""

    seconds: float
    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Deadline:
        """Return the moment that lies ``seconds`` ahead."""
        return cls(seconds, clock() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds until then; 0 once it has passed."""
        return max(0.0, self.at - self.clock())


def is_retryable(reply: Reply, unanswered: int) -> bool:
    """Return whether the same request may succeed later; ``unanswered`` requests in a row had no reply."""
    return unanswered < MAX_UNANSWERED if reply.problem is not None else reply.status in PASSING


def pause_after(attempt: int, reply: Reply, draw: Draw = random.random) -> float:
    """Return the seconds to wait after attempt 1, 2 …: the server's own, or exponential back-off with jitter."""
    seconds = retry_after(reply)
    # 0 does not count: an overloaded server would get retries without a pause.
    if seconds:
        # Jitter, so that clients that were refused together do not return together.
        return seconds + draw() * min(1.0, seconds / 4)
    return float(draw() * min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt))


def retry_after(reply: Reply, now: Clock = time.time) -> float | None:
    """Return the seconds that ``Retry-After`` (seconds or a date) or the body's ``estimated_time`` asks for."""
    text = next((value for name, value in reply.headers.items() if name.lower() == "retry-after"), "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now())
    except ValueError:
        body = reply.json()
        estimated = body.get("estimated_time") if isinstance(body, dict) else None
        return max(0.0, float(estimated)) if isinstance(estimated, int | float) else None
