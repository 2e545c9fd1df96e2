"""Requests as a hostile caller sends them: any bytes, and whatever comes back."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterable

TIMEOUT_SECONDS = 120.0
NO_ANSWER = 0
"""Stands for the status where the server closed the connection without an answer."""

BODY_ROUTES = (
    "/api/generate", "/api/jobs", "/api/explain", "/api/models/pull",
    "/v1/music", "/v1/music/stream", "/v1/sound-generation", "/v1/audio/speech",
    "/v1/predictions", "/v1/models/meta/musicgen/predictions",
    "/models/facebook/musicgen-small", "/hf-inference/models/facebook/musicgen-small",
    "/pipeline/text-to-audio/facebook/musicgen-small", "/predict", "/", "/mcp",
)  # fmt: skip
"""Every route that reads JSON, one for each reader of it at least."""

PROMPT_FIELDS = {
    "/api/generate": "prompt", "/v1/music": "prompt", "/v1/sound-generation": "text", "/v1/audio/speech": "input",
    "/predict": "inputs",
}  # fmt: skip
"""The field that holds the prompt, by route."""


def send(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Send a request on a connection of its own; return the status, NO_ANSWER where there is none, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body or None, {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (http.client.HTTPException, ConnectionError):
        return NO_ANSWER, b""
    finally:
        connection.close()


def post(port: int, path: str, body: object) -> int:
    """Post JSON, or bytes as they are, and return the status."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(port, "POST", path, content)[0]


def count(statuses: Iterable[int]) -> Counter[str]:
    """Count the statuses by their first digit: ``4xx``, and ``none`` for no answer."""
    return Counter("none" if status == NO_ANSWER else f"{status // 100}xx" for status in statuses)
