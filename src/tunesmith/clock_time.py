"""Clock times: seconds, minutes and hours as a user writes them."""

from __future__ import annotations

import re
from typing import Any

from tunesmith.fields import MAX_NUMBER_CHARACTERS
from tunesmith.plain_text import visible_text

_CLOCK = re.compile(r"^(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d+)?)$")


def seconds(text: Any) -> Any:
    """Convert ``"1:02.5"``, ``"62.5"`` or ``"62.5s"`` to seconds; return anything else for the type to validate."""
    if not isinstance(text, str):
        return text
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError(f"must be a number of at most {MAX_NUMBER_CHARACTERS} characters, got {len(text)}")
    text = visible_text(text)
    clock = _CLOCK.match(text.strip())
    if clock:
        hours, minutes, rest = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    return text.strip().removesuffix("s")
