"""Request bodies and the ``Prefer`` header of predictions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from tunesmith.errors import InvalidRequest
from tunesmith.server.apis.replicate.errors import InvalidField, InvalidInput
from tunesmith.server.apis.request_body import WHOLE_BODY, read_object
from tunesmith.server.errors import BadRequest

RECORDINGS = ("input_audio", "melody")
"""The input fields that may hold a recording as a data URI."""

MAX_WAIT_SECONDS = 60.0
_WAIT = re.compile(r"(?:^|[,;\s])wait(?:\s*=\s*\"?(\d{1,9})\"?)?\s*(?:$|[,;])")


async def read_json(request: Request) -> Mapping[str, Any]:
    """Return the body, a JSON object. Raises BadRequest and InvalidInput."""
    try:
        return await read_object(request, RECORDINGS)
    except InvalidRequest as error:
        if error.field == WHOLE_BODY:
            raise BadRequest(str(error)) from None
        raise InvalidInput([InvalidField("invalid", error.field, error.problem)]) from None


def wait_seconds(prefer: str | None) -> float | None:
    """Return the seconds, 1 to 60, for which ``Prefer`` asks to hold the request; None without ``wait``."""
    found = _WAIT.search((prefer or "").lower())
    if found is None:
        return None
    return min(MAX_WAIT_SECONDS, max(1.0, float(found[1] or MAX_WAIT_SECONDS)))
