"""The protocol between a runner's process and its parent: one JSON object a line, at most ``MAX_LINE_BYTES``.

to the child    {"task": id, "request": {…}, "path": "…", "stream": false, "layers": []}      {"cancel": id}
from the child  {"ready": places}                               the model is loaded; ``places`` tasks run at once
                {"unloadable": true, "kind": "…", "message": "…", "mistake": false, "trace": ""}
                {"progress": id, "fraction": 0.4, "stage": "…"}
                {"streaming": id, "metadata": {…}, "size": bytes or null}
                                                                the file of ``stream_path`` begins to grow
                {"streamed": id, "bytes": …}                    it has grown to so many bytes
                {"made": id, "duration": …, "sample_rate": …, "channels": …, "metadata": {…}}
                {"failed": id, "kind": "…", "message": "…", "mistake": true, "trace": ""}
                {"quiet": seconds}                              every ALIVE_SECONDS: since when the quietest task has
                                                                given no sign of life

A live stream, whose child makes one block for each grant, and ends it with ``closed`` or ``failed``:

to the child    {"live": id, "settings": {…}, "seed": …, "encoding": "pcm16"}        {"cancel": id}
                {"grant": id}                                   {"change": id, "number": 1, "settings": {…}}
from the child  {"opened": id, "sample_rate": …, "channels": …}
                {"block": id, "change": 1, "sound": "…"}        in base64, by at least the settings of that change
                {"changed": id, "change": 1}
                {"refused": id, "change": 1, "field": "…", "problem": "…"}
                {"closed": id}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ALIVE_SECONDS = 1.0
MAX_LINE_BYTES = 4 << 20
"""The longest line: the child shortens its texts, and the parent refuses a task that does not fit."""

MAX_KIND, MAX_STAGE, MAX_MESSAGE, MAX_TRACE = 100, 200, 2_000, 20_000
"""The longest texts that the child sends, in characters."""


REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# The JSON escapes of NUL and of surrogates.
_MAYBE_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class InvalidMessage(ValueError):
    """A message that is too long, not JSON, or of no known kind."""


class _Message(BaseModel):
    # Strict: a message that does not match exactly is the sign of a bug.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Ready(_Message):
    """A report that the model is loaded; ``ready`` tasks run at once."""

    ready: Annotated[int, Field(ge=1)]


class Quiet(_Message):
    """A heartbeat; ``quiet`` is the longest time in seconds for which a task has shown no progress."""

    quiet: Annotated[float, Field(ge=0)]


class InProgress(_Message):
    """The progress of a task."""

    task: Annotated[str, Field(alias="progress")]
    fraction: float
    stage: str


class Streaming(_Message):
    """A report that a task's stream begins; ``size`` is the length that it will have in bytes, if that is known."""

    task: Annotated[str, Field(alias="streaming")]
    metadata: dict[str, Any]
    size: Annotated[int, Field(ge=0)] | None


class Streamed(_Message):
    """A report of the length that a task's stream has by now, in bytes."""

    task: Annotated[str, Field(alias="streamed")]
    bytes: Annotated[int, Field(ge=0)]


class Finished(_Message):
    """A report that a task's file is written."""

    task: Annotated[str, Field(alias="made")]
    duration: Annotated[float, Field(ge=0)]
    sample_rate: Annotated[int, Field(ge=1)]
    channels: Annotated[int, Field(ge=1)]
    metadata: dict[str, Any]


class _Problem(_Message):
    kind: str
    message: str
    mistake: bool
    trace: str


class Unloadable(_Problem):
    """A report that the model cannot be loaded; the process ends."""

    unloadable: bool


class TaskProblem(_Problem):
    """A report that a task failed."""

    task: Annotated[str, Field(alias="failed")]


class LiveOpened(_Message):
    """A report that a live stream is open."""

    task: Annotated[str, Field(alias="opened")]
    sample_rate: Annotated[int, Field(ge=1)]
    channels: Annotated[int, Field(ge=1)]


class LiveBlock(_Message):
    """A block of a live stream in base64; ``change`` is the number of the last change before it was begun."""

    task: Annotated[str, Field(alias="block")]
    change: Annotated[int, Field(ge=0)]
    sound: str


class ChangeTaken(_Message):
    """A report that a live stream plays by a change from now on."""

    task: Annotated[str, Field(alias="changed")]
    change: Annotated[int, Field(ge=1)]


class ChangeRefused(_Message):
    """A report that the model does not take a change, because of a field."""

    task: Annotated[str, Field(alias="refused")]
    change: Annotated[int, Field(ge=1)]
    field: str
    problem: str


class LiveClosed(_Message):
    """A report that a live stream has ended as it was asked to."""

    task: Annotated[str, Field(alias="closed")]


LiveReport = LiveOpened | LiveBlock | ChangeTaken | ChangeRefused | LiveClosed
FromChild = LiveReport | Ready | Quiet | InProgress | Streaming | Streamed | Finished | Unloadable | TaskProblem
_KINDS: Mapping[str, type[FromChild]] = {
    "ready": Ready,
    "quiet": Quiet,
    "progress": InProgress,
    "made": Finished,
    "streaming": Streaming,
    "streamed": Streamed,
    "unloadable": Unloadable,
    "failed": TaskProblem,
    "opened": LiveOpened,
    "block": LiveBlock,
    "changed": ChangeTaken,
    "refused": ChangeRefused,
    "closed": LiveClosed,
}


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the message as a line. Raises InvalidMessage if it is too long or cannot be JSON."""
    try:
        # NaN would be invalid JSON for other parsers and databases.
        line = json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessage(f"cannot be written as JSON: {error}") from None
    if len(line) > MAX_LINE_BYTES:
        raise InvalidMessage(f"must be at most {MAX_LINE_BYTES} bytes as JSON, got {len(line)}")
    return line


def decode(line: bytes) -> dict[str, Any]:
    """Parse a line of ``encode``. Raises InvalidMessage.

    Lone surrogates and NUL, which not every database can store, become U+FFFD.
    """
    try:
        message = json.loads(line)
        # Searching the bytes first is faster than walking every message.
        message = _storable(message) if _MAYBE_UNSTORABLE.search(line) else message
    except (ValueError, RecursionError):
        raise InvalidMessage(f"is not JSON, got {line[:80]!r}") from None
    if not isinstance(message, dict):
        raise InvalidMessage(f"must be a JSON object, got {line[:80]!r}")
    return message


def read_from_child(line: bytes) -> FromChild:
    """Parse and validate a line of the child. Raises InvalidMessage."""
    message = decode(line)
    kind = next((_KINDS[name] for name in _KINDS if name in message), None)
    if kind is None:
        raise InvalidMessage(f"is of an unknown kind, got {line[:80]!r}")
    try:
        return kind.model_validate(message)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidMessage(f"{field}: {first['msg']}, got {line[:80]!r}") from None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        # Through UTF-16, where a valid pair of surrogates becomes a character and a lone one is replaced.
        return value.replace("\0", REPLACEMENT).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def shortened(text: str, longest: int) -> str:
    """Return a text of at most ``longest`` characters, without lone surrogates."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return text.encode("utf-8", "replace").decode()
