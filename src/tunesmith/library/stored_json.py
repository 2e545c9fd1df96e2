"""Reading the columns of tables that hold JSON, so that every value can be shown, whatever version stored it."""

from __future__ import annotations

import json
import re
from typing import Any

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_MAY_HOLD_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


def read_column(text: str | bytes) -> Any:
    """Read a column; a half surrogate pair, which no answer can hold, becomes U+FFFD.

    None where the column holds no JSON, so that one damaged row does not hide the others.
    """
    try:
        document = text if isinstance(text, str) else text.decode()
        value = json.loads(document)
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
