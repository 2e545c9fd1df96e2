"""The exchange with a server as a generator sees it: it yields actions and is sent what came of them.

So one description of what is asked, and in which order, serves a client that waits and one for asyncio.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from tunesmith.client.retries import Deadline, Reply, is_retryable, pause_after, retry_after
from tunesmith.errors import ApiError, DeadlineExceeded, NotFound, ServerBusy, ServerUnreachable, TokenRefused

T = TypeVar("T")
BUSY, REFUSED, NOT_FOUND = (429, 503), (401, 403), 404


@dataclass(frozen=True, slots=True)
class Send:
    """Make a request that may take so many ``seconds``; a Reply comes of it.

    Where it ``opens`` a good answer's body is left to be read by ReadBytes or ReadLine.
    """

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadBytes:
    """Read the next bytes of the open answer within so many seconds; bytes come of it, None at its end.

    Raises ServerUnreachable.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Read the next line of the open answer; text comes of it, None at its end. Raises ServerUnreachable."""


@dataclass(frozen=True, slots=True)
class Yield(Generic[T]):
    """Hand a value to the caller."""

    value: T


Action = Send | Pause | ReadBytes | ReadLine
Answer = Reply | bytes | str | None
Steps = Generator[Action, Any, T]
"""Actions that lead to one value."""
Flow = Generator[Action | Yield[T], Any, None]
"""Actions that lead to values, one after another."""


def request_with_retries(send: Send, deadline: Deadline) -> Steps[Reply]:
    """Make a request until it succeeds; raises ApiError, ServerUnreachable or DeadlineExceeded."""
    attempt = unanswered = 0
    while deadline.left:
        reply: Reply = yield replace(send, seconds=deadline.left)
        if reply.is_good:
            return reply
        attempt += 1
        unanswered = unanswered + 1 if reply.problem is not None else 0
        if unanswered and not deadline.left:
            break
        pause = pause_after(attempt, reply)
        if not is_retryable(reply, unanswered) or pause >= deadline.left:
            raise error_from_reply(reply)
        yield Pause(pause)
    raise DeadlineExceeded(f"{send.method} {send.path}: no answer within {deadline.seconds:g} s")


def error_from_reply(reply: Reply) -> Exception:
    """Return the error that an answer tells of."""
    if reply.problem is not None:
        return ServerUnreachable(reply.problem)
    body = reply.json()
    detail = body.get("error") if isinstance(body, dict) else None
    about = detail if isinstance(detail, dict) else {"message": detail or reply.content[:200].decode(errors="replace")}
    kind, to_blame = str(about.get("type") or ""), about.get("field")
    message = _redirected(reply) or str(about.get("message") or f"the server answered {reply.status}")
    if reply.status in BUSY:
        return ServerBusy(message, status=reply.status, kind=kind, retry_after=retry_after(reply))
    kinds: dict[int, type[ApiError]] = {NOT_FOUND: NotFound, **dict.fromkeys(REFUSED, TokenRefused)}
    return kinds.get(reply.status, ApiError)(message, status=reply.status, kind=kind, field=to_blame)


def _redirected(reply: Reply) -> str:
    """Say where a request was redirected to. Only those that read follow: others may arrive as something else."""
    if not 300 <= reply.status < 400:
        return ""
    return f"the server redirects to {reply.headers.get('location', 'elsewhere')}; name that one in base_url"
