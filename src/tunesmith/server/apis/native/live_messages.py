"""The messages of a live stream, and the header of its blocks; docs/live.md describes the conversation.

::

    a block     4 bytes   number of the block, from 0 on
                4 bytes   number of the last change before the block was begun
                8 bytes   position of its first sample
                          samples, channels in turn; all numbers are little-endian
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from tunesmith.errors import InvalidRequest
from tunesmith.field_names import field_for
from tunesmith.fields import GivenFields, ModelName, checked, shown
from tunesmith.jobs.live_pace import AHEAD_SECONDS
from tunesmith.live_stream import LiveSettings, SoundEncoding
from tunesmith.request import IS_NUMBER, MAX_SEED, RANDOM_SEED, seed_or_none
from tunesmith.server.apis.request_body import parse_json
from tunesmith.server.errors import BadRequest

MAX_MESSAGE_BYTES = 16_384
HEADER = struct.Struct("<IIQ")
WRAP = 2**32
"""Block and change numbers start again at 0 after this."""


class LiveStart(LiveSettings):
    """The first message: the settings to begin with, and what stays as it is."""

    model: ModelName | None = None
    seed: Annotated[int, Field(ge=RANDOM_SEED, le=MAX_SEED), AfterValidator(seed_or_none), IS_NUMBER] | None = None
    encoding: SoundEncoding = "pcm16"
    ahead: Annotated[float, Field(ge=0.1, le=5), IS_NUMBER] = AHEAD_SECONDS
    duration: Annotated[float, Field(ge=1), IS_NUMBER] | None = None
    token: Annotated[str, Field(max_length=256)] | None = None

    @property
    def settings(self) -> LiveSettings:
        """The settings to begin with."""
        given = self.model_fields_set & LiveSettings.model_fields.keys()
        return LiveSettings.checked(**{name: getattr(self, name) for name in given})


class LiveRecord(GivenFields):
    """A message that keeps the last ``seconds`` as a track, in a sound format."""

    model_config = LiveSettings.model_config

    seconds: Annotated[float, Field(ge=1), IS_NUMBER] = 30.0
    format: Annotated[str, Field(max_length=8)] = "wav"


def read_message(text: str) -> tuple[str, dict[str, Any]]:
    """Return the type of a message and its other fields. Raises BadRequest and InvalidRequest."""
    raw = text.encode("utf-8", "replace")
    if len(raw) > MAX_MESSAGE_BYTES:
        raise BadRequest(f"a message must be at most {MAX_MESSAGE_BYTES} bytes, got {len(raw)}")
    message = parse_json(raw)
    if not isinstance(message, dict):
        raise BadRequest(f"a message must be a JSON object, got {shown(message)}")
    kind = message.pop("type", None)
    if not isinstance(kind, str):
        raise InvalidRequest("type", "is missing" if kind is None else f"must be text, got {shown(kind)}")
    return kind, message


def read_start(text: str) -> LiveStart:
    """Return the first message. Raises BadRequest and InvalidRequest."""
    kind, fields = read_message(text)
    if kind != "start":
        raise InvalidRequest("type", f"must be start in the first message, got {shown(kind)}")
    return checked(LiveStart, fields)


def valid_changes(settings: LiveSettings, fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[InvalidRequest]]:
    """Return those fields of a change that are valid, and an error for each other one."""
    valid, problems = {}, []
    for name, value in fields.items():
        try:
            settings.changed({name: value})
        except InvalidRequest as error:
            problems.append(error)
        else:
            valid[field_for(name, LiveSettings.model_fields) or name] = value
    return valid, problems


def block_header(number: int, change: int, position: int) -> bytes:
    """Return the header of a block; ``position`` is that of its first sample, per channel."""
    return HEADER.pack(number % WRAP, change % WRAP, position)
