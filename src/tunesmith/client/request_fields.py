"""The fields of a request for music as JSON, with the recordings that belong to it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import InvalidRequest
from tunesmith.request import Hit


def request_fields(prompt: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body of a request, without fields that are None; raises InvalidRequest for an unreadable file."""
    given = {name: _plain(name, value) for name, value in fields.items() if value is not None}
    return {"prompt": prompt, **given}


def change_fields(words: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body of a change of a track, without words and fields that are not given."""
    body = request_fields(words, fields)
    return body if words else {name: value for name, value in body.items() if name != "prompt"}


def _plain(name: str, value: Any) -> Any:
    # JSON holds no bytes, so recordings are sent as base64.
    if isinstance(value, Path):
        return base64.b64encode(_read(name, value)).decode()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Hit):
        return value.model_dump()
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return [_plain(name, item) for item in value]
    return value


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InvalidRequest(name, f"{path} cannot be read: {problem.strerror}") from None
