"""Error mapping: a service's response as an error of one line that states what to do."""

from __future__ import annotations

from typing import Any

from tunesmith.client.reply import Reply
from tunesmith.client.retries import retry_after
from tunesmith.errors import ApiError, NotFound, ServerBusy, ServerUnreachable, TokenRefused, TunesmithError
from tunesmith.hosted.model_names import HostedName

SHOWN_CHARACTERS = 300
TOKEN_PAGES = {"hf": "https://huggingface.co/settings/tokens", "replicate": "https://replicate.com/account/api-tokens"}
TOKEN_PLACES = {"hf": "HF_TOKEN", "replicate": "REPLICATE_API_TOKEN"}
BILLING_PAGES = {"hf": "https://huggingface.co/settings/billing", "replicate": "https://replicate.com/account/billing"}
SEARCHES = {
    "hf": "see https://huggingface.co/models?pipeline_tag=text-to-audio, or start an Inference Endpoint of it",
    "replicate": "see https://replicate.com/collections/ai-music-generation",
}


def is_loading(reply: Reply) -> bool:
    """Return whether the model is still loading, whatever the status code: that passes by itself."""
    # The body may be megabytes of audio: parse it only if it can be an object.
    body = reply.json() if reply.content[:1] == b"{" else None
    return isinstance(body, dict) and "error" in body and "estimated_time" in body


def error_from_response(name: HostedName, reply: Reply, *, has_token: bool) -> TunesmithError:
    """Return the error for an unsuccessful response."""
    service, status = name.service_name, reply.status
    detail = _error_text(reply)
    if reply.problem is not None:
        return ServerUnreachable(f"{service} cannot be reached: {reply.problem}")
    if status in (401, 403):
        place = f"set {TOKEN_PLACES[name.service]} to one from {TOKEN_PAGES[name.service]}"
        wrong = "rejects the token" if has_token else "requires a token"
        return TokenRefused(f"{service} {wrong} ({status}{detail}); {place}", status=status)
    if status == 402:
        page = BILLING_PAGES[name.service]
        return ApiError(f"{service} requires payment ({status}{detail}); see {page}", status=status)
    if status in (404, 410):
        return NotFound(f"{service} does not serve {name} ({status}{detail}); {SEARCHES[name.service]}", status=status)
    if is_loading(reply):
        # Status 503 whatever the service sent, so that clients know to retry.
        return ServerBusy(
            f"{service} is still loading {name}; try again later", status=503, retry_after=retry_after(reply)
        )
    if status in (429, 502, 503, 504):
        after = retry_after(reply)
        when = "later" if after is None else f"in {after:.0f} s"
        why = "reached its rate limit" if status == 429 else "is overloaded"
        return ServerBusy(f"{service} {why} ({status}{detail}); try again {when}", status=status, retry_after=after)
    return ApiError(f"{service} cannot generate it ({status}{detail})", status=status)


def _error_text(reply: Reply) -> str:
    """Return the error text of the body in one line, after a colon; empty if there is none."""
    text = _words(reply.json()) or ""
    # An HTML error page has nothing to tell a user.
    if not text and not reply.content.lstrip().startswith(b"<"):
        text = reply.content[:SHOWN_CHARACTERS].decode(errors="replace")
    text = " ".join(text.split())[:SHOWN_CHARACTERS]
    return f": {text}" if text else ""


def _words(body: Any) -> str | None:
    if isinstance(body, dict):
        found = (_words(body.get(name)) for name in ("error", "detail", "message", "title"))
        return next((text for text in found if text), None)
    if isinstance(body, list):
        return "; ".join(filter(None, map(_words, body)))
    return body if isinstance(body, str) else None
