"""The reply of a server to one request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunesmith.errors import ApiError


class ReplyBody(Protocol):
    """The open body of a streamed reply. Reading raises ServerUnreachable if the connection breaks."""

    status: int

    async def next_line(self) -> str | None:
        """Return the next line of text, or None at the end."""

    async def next_chunk(self, seconds: float) -> bytes | None:
        """Return the next bytes within ``seconds``, or None at the end."""

    async def aclose(self) -> None:
        """Release the connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response, or ``problem`` if none came.

    ``content`` is the whole body. For a streamed body it is empty, and ``body`` is open.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    problem: str | None = None
    body: ReplyBody | None = None

    @property
    def is_good(self) -> bool:
        """Whether the request succeeded."""
        return self.problem is None and 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON, or None if it is not JSON."""
        try:
            return json.loads(self.content)
        # RecursionError: a foreign server may nest its JSON to any depth.
        except (ValueError, RecursionError):
            return None

    def document(self) -> dict[str, Any]:
        """Return the JSON object of a good reply, empty if there is no body; raises ApiError for anything else."""
        body = self.json() if self.content else {}
        if not isinstance(body, dict):
            raise foreign_reply_error(self.status)
        return body

    def part(self, name: str) -> Any:
        """Return a field of the document; raises ApiError if it is missing."""
        document = self.document()
        if name not in document:
            raise foreign_reply_error(self.status)
        return document[name]


def foreign_reply_error(status: int) -> ApiError:
    """Return the error for a reply that does not come from a Tunesmith server."""
    return ApiError("not a response of a Tunesmith server", status=status)
