"""Bodies of requests: JSON whatever the Content-Type says, and no larger than allowed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from tunesmith.server.dialects.replicate.problems import Problem

MAX_BODY_BYTES = 140 * 10**6
"""Room for a sound file of 100 MB in a data URI."""

MAX_WAIT_SECONDS = 60.0
_WAIT = re.compile(r"(?:^|[,;\s])wait(?:\s*=\s*\"?(\d{1,9})\"?)?\s*(?:$|[,;])")


async def read_json(request: Request) -> Mapping[str, Any]:
    """Return the body, which must be an object; raises Problem."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, f"The body must be at most {MAX_BODY_BYTES} bytes.", "Payload too large")
    try:
        content = json.loads(bytes(body) or b"{}", parse_constant=_refuse, parse_float=_finite)
        _check_text(body, content)
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON.", "Bad request") from None
    if not isinstance(content, dict):
        raise Problem(400, "The body must be a JSON object.", "Bad request")
    return content


def _check_text(body: bytearray, content: Any) -> None:
    """Raise ValueError for text that no database keeps: half characters and NUL, which only escapes can bring in."""
    if b"\\u" in body and b"\0" in _unescaped(content):
        raise ValueError("NUL")


def _unescaped(content: Any) -> bytes:
    if isinstance(content, dict):
        return b"".join(_unescaped(part) for pair in content.items() for part in pair)
    if isinstance(content, list):
        return b"".join(_unescaped(part) for part in content)
    return content.encode() if isinstance(content, str) else b""


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> float:
    raise ValueError(text)


def wait_seconds(prefer: str | None) -> float | None:
    """Return how long the header ``Prefer`` asks to hold the request, 1 to 60 s, or None where it does not."""
    found = _WAIT.search((prefer or "").lower())
    if found is None:
        return None
    return min(MAX_WAIT_SECONDS, max(1.0, float(found[1] or MAX_WAIT_SECONDS)))
