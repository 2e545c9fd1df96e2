"""Reading the columns of tables that hold JSON."""

from __future__ import annotations

import json
from typing import Any


def read_column(text: str | bytes) -> Any:
    """Read a column; None where it holds no JSON, so that one damaged row does not hide the others."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
