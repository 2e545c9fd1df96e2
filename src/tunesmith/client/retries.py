"""When to try again: what may pass by itself, after as long as the server says, never past the deadline."""

from __future__ import annotations

import email.utils
import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.errors import ApiError

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 8.0
MAX_UNANSWERED = 4
"""So many requests in a row may go without any answer before the server is taken to be away."""
PASSING = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that may be another the next time."""

Clock = Callable[[], float]
Draw = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an HTTP answer, or ``problem`` where there was none.

    ``content`` is the whole body; it is empty where the body is to be read piece by piece.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    problem: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether it is the answer that was asked for."""
        return self.problem is None and 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON; None where it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    def document(self) -> dict[str, Any]:
        """Return the JSON object of a good answer, empty where there is no body; raises ApiError for anything else."""
        body = self.json() if self.content else {}
        if not isinstance(body, dict):
            raise is_foreign_reply(self.status)
        return body

    def part(self, name: str) -> Any:
        """Return a field of the document; raises ApiError where it is not there."""
        document = self.document()
        if name not in document:
            raise is_foreign_reply(self.status)
        return document[name]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock, ``seconds`` after it was set."""

    seconds: float
    at: float
    clock: Clock = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> Deadline:
        """Return the moment so many seconds from now."""
        return cls(seconds, clock() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds until then; 0 once it has passed."""
        return max(0.0, self.at - self.clock())


def is_foreign_reply(status: int) -> ApiError:
    """Return the error for an answer of something else."""
    return ApiError("the answer is none of a Tunesmith server", status=status)


def is_retryable(reply: Reply, unanswered: int) -> bool:
    """Tell whether the same request may succeed after so many in a row that were not answered."""
    return unanswered < MAX_UNANSWERED if reply.problem is not None else reply.status in PASSING


def pause_after(attempt: int, reply: Reply, draw: Draw = random.random) -> float:
    """Return how long to wait after attempt 1, 2 …: what the server asks for, else longer each time with jitter."""
    asked = retry_after(reply)
    if asked:  # "at once" would have a server that is in trouble asked without end
        return asked + draw() * min(1.0, asked / 4)  # callers that were turned away together come back apart
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
