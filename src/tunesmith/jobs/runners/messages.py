"""Messages between a runner's process and its parent: one JSON object a line.

to the child    {"task": id, "request": {…}, "path": "…"}      {"cancel": id}
from the child  {"ready": places}                               the model is loaded; so many tasks run at once
                {"unloadable": kind, "message": "…", "mistake": false, "trace": ""}
                {"progress": id, "fraction": 0.4, "stage": "…"}
                {"made": id, "duration": …, "sample_rate": …, "channels": …, "metadata": {…}}
                {"failed": id, "kind": "…", "message": "…", "mistake": true, "trace": ""}
                {"quiet": seconds}                              every ALIVE_SECONDS: since when the quietest task has
                                                                given no sign of life
"""

from __future__ import annotations

import json
from typing import Any

ALIVE_SECONDS = 1.0
LONGEST_LINE = 16 << 20  # bytes; metadata with a long prompt and many warnings are far below


def encode(message: dict[str, Any]) -> bytes:
    """Return the message as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Read a line that ``encode`` made."""
    message: dict[str, Any] = json.loads(line)
    return message
