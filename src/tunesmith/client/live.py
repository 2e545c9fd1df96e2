"""Live streams in the client: what both kinds share, the address, the messages and the blocks."""

from __future__ import annotations

import contextlib
import json
import struct
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.client.http import error_from_reply
from tunesmith.client.reply import Reply
from tunesmith.client.server_address import ServerAddress, is_loopback
from tunesmith.errors import ApiError, GenerationFailed, ServerUnreachable

PATH = "/api/live"
OPENING_SECONDS = 10.0
"""How long the server may take to accept a connection."""

# The head of a block: its number, its change and its position (docs/live.md).
HEADER = struct.Struct("<IIQ")
MAX_PROBLEMS = 100
FAILURES = ("failed", "refused")


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """A block of a live stream: ``samples`` are interleaved, in the stream's encoding.

    ``position`` is that of the first sample, per channel; ``change`` is the number of the last change before the block.
    """

    number: int
    change: int
    position: int
    samples: bytes


@dataclass
class LiveState:
    """What a client knows of its live stream; it is as new as the last block that was read.

    ``settings`` are as the model plays them. ``problems`` are the last errors, ``tracks`` what was recorded,
    ``seconds`` the sound in all and ``reason`` why it ended, None while it plays.
    """

    started: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    problems: deque[ApiError] = field(default_factory=lambda: deque(maxlen=MAX_PROBLEMS))
    tracks: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None
    seconds: float = 0.0

    @property
    def model(self) -> str:
        """The model that plays."""
        return str(self.started["model"])

    @property
    def seed(self) -> int:
        """The seed of the stream."""
        return int(self.started["seed"])

    @property
    def sample_rate(self) -> int:
        """The sample rate in Hz."""
        return int(self.started["sample_rate"])

    @property
    def channels(self) -> int:
        """The number of channels."""
        return int(self.started["channels"])

    @property
    def encoding(self) -> str:
        """The form of the samples: ``pcm16`` or ``float32``, little-endian."""
        return str(self.started["encoding"])

    def take(self, message: str | bytes) -> LiveFrame | None:
        """Take a message of the server; return its block, if it is one. Raises ApiError and GenerationFailed."""
        if isinstance(message, bytes):
            number, change, position = HEADER.unpack_from(message)
            return LiveFrame(number, change, position, message[HEADER.size :])
        document = json.loads(message)
        match document["type"]:
            case "started":
                self.started, self.settings = document, document["settings"]
            case "changed":
                self.settings = document["settings"]
            case "error":
                self.problems.append(_error_of(document))
            case "recorded":
                self.tracks.append(document["track"])
            case "ended":
                self._end(document["reason"], document["seconds"])
        return None

    def _end(self, reason: str, seconds: float) -> None:
        self.reason, self.seconds = reason, seconds
        if reason == "refused" and self.problems:
            raise self.problems[-1]
        if reason in FAILURES:
            problem = self.problems[-1] if self.problems else None
            raise GenerationFailed(problem.kind if problem else "", str(problem or f"the live stream {reason}"))


def _error_of(document: Mapping[str, Any]) -> ApiError:
    """Return the error of a message; one that ends the stream has the status that a request would have got."""
    reply = Reply(int(document.get("status", 422)), content=json.dumps({"error": document["error"]}).encode())
    error = error_from_reply(reply)
    assert isinstance(error, ApiError)
    return error


def message_of(kind: str, fields: Mapping[str, Any]) -> str:
    """Return a message as JSON; sets of notes become lists."""
    plain = {name: sorted(value) if isinstance(value, set | frozenset) else value for name, value in fields.items()}
    return json.dumps({"type": kind, **plain})


def socket_options(address: ServerAddress) -> dict[str, Any]:
    """Return the arguments to connect to a server with ``websockets``."""
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    options: dict[str, Any] = {
        "uri": address.url.replace("http", "ws", 1) + PATH, "additional_headers": headers, "compression": None,
        "open_timeout": OPENING_SECONDS,
    }  # fmt: skip
    # To a proxy, a loopback address would mean the proxy's own machine.
    return options | ({"proxy": None} if is_loopback(address.host) else {})


@contextlib.contextmanager
def socket_errors(address: ServerAddress) -> Iterator[None]:
    """Turn the errors of ``websockets`` into those of the client."""
    from websockets.exceptions import InvalidStatus, WebSocketException

    try:
        yield
    except InvalidStatus as refusal:
        response = refusal.response
        raise error_from_reply(Reply(response.status_code, response.headers, bytes(response.body or b""))) from None
    except (OSError, WebSocketException) as problem:
        raise ServerUnreachable(f"{address}: {problem or type(problem).__name__}") from None
