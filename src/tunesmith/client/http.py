"""One request with retries, within a deadline, and the exceptions for its replies."""

from __future__ import annotations

from tunesmith.client.reply import Reply, ReplyBody
from tunesmith.client.retries import Deadline, is_retryable, pause_after, retry_after
from tunesmith.client.transport import ApiRequest, Transport
from tunesmith.errors import ApiError, DeadlineExceeded, NotFound, ServerBusy, ServerUnreachable, TokenRefused

BUSY, REFUSED, NOT_FOUND = (429, 503), (401, 403), 404


async def send_with_retries(transport: Transport, request: ApiRequest, deadline: Deadline) -> Reply:
    """Send a request until it succeeds; raises ApiError, ServerUnreachable or DeadlineExceeded."""
    attempt = unanswered = 0
    while deadline.left:
        reply = await transport.send(request, deadline.left)
        if reply.is_good:
            return reply
        attempt += 1
        # A reply of any status shows that the server can be reached.
        unanswered = unanswered + 1 if reply.problem is not None else 0
        # The deadline cut this attempt off: the server is slow rather than unreachable.
        if unanswered and not deadline.left:
            break
        pause = pause_after(attempt, reply)
        # Without time for another attempt, the server's own error says more than DeadlineExceeded.
        if not is_retryable(reply, unanswered) or pause >= deadline.left:
            raise error_from_reply(reply)
        await transport.sleep(pause)
    raise DeadlineExceeded(f"{request.method} {request.path}: no answer within {deadline.seconds:g} s")


async def open_with_retries(transport: Transport, request: ApiRequest, deadline: Deadline) -> ReplyBody:
    """Send a request that streams until it succeeds, and return its open body; raises as send_with_retries."""
    reply = await send_with_retries(transport, request, deadline)
    assert reply.body is not None
    return reply.body


def error_from_reply(reply: Reply) -> Exception:
    """Return the exception for a reply that is not good."""
    if reply.problem is not None:
        return ServerUnreachable(reply.problem)
    body = reply.json()
    detail = body.get("error") if isinstance(body, dict) else None
    about = detail if isinstance(detail, dict) else {"message": detail or reply.content[:200].decode(errors="replace")}
    kind, field = str(about.get("type") or ""), about.get("field")
    message = _redirected(reply) or str(about.get("message") or f"the server answered {reply.status}")
    if reply.status in BUSY:
        return ServerBusy(message, status=reply.status, kind=kind, retry_after=retry_after(reply))
    kinds: dict[int, type[ApiError]] = {NOT_FOUND: NotFound, **dict.fromkeys(REFUSED, TokenRefused)}
    return kinds.get(reply.status, ApiError)(message, status=reply.status, kind=kind, field=field)


def _redirected(reply: Reply) -> str:
    """Return the message for a redirect, empty for other replies; only GET requests follow redirects."""
    if not 300 <= reply.status < 400:
        return ""
    return f"the server redirects to {reply.headers.get('location', 'elsewhere')}; use that URL as base_url"
