"""Server-sent events, as the HTML standard has them: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

SILENCE_SECONDS = 15.0
"""How long a stream is silent at most, for proxies that cut silent connections."""

STILL_HERE = ": still here\n\n"
MEDIA_TYPE = "text/event-stream"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def event(kind: str, content: BaseModel) -> str:
    """Return one event as it is sent."""
    return f"event: {kind}\ndata: {content.model_dump_json()}\n\n"


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """Answer with events as they come."""
    return StreamingResponse(events, media_type=MEDIA_TYPE, headers=HEADERS)
