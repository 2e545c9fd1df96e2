"""Reading of JSON columns, so that every row can be shown, whatever version stored it."""

from __future__ import annotations

import json
import re
from typing import Any

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_MAY_HOLD_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


def read_column(text: str | bytes) -> Any:
    """Parse a JSON column; lone surrogates, which no response can hold, become U+FFFD.

    Returns None for invalid JSON, so that one damaged row does not hide the others.
    """
    try:
        document = text if isinstance(text, str) else text.decode()
        value = json.loads(document)
        # The search in the text is cheap, and almost no document has such an escape.
        return _without_half_pairs(value) if _MAY_HOLD_HALF_PAIR.search(document) else value
    except (ValueError, RecursionError):
        return None


def _without_half_pairs(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_without_half_pairs(member) for member in value]
    if isinstance(value, dict):
        return {_without_half_pairs(name): _without_half_pairs(member) for name, member in value.items()}
    return value
