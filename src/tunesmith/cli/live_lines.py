"""Lines that steer a live stream: the name of a setting and its value, or a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tunesmith.composer.theory import LETTERS
from tunesmith.errors import InvalidRequest

STOP = ("stop", "quit", "exit")
DRUMS: Mapping[str, bool | None] = {"on": True, "off": False, "auto": None}
NUMBERS = ("blend", "temperature")
_NOTE = re.compile(r"([a-g])([#b]?)(-?\d)", re.IGNORECASE)


def change_of(line: str) -> dict[str, Any] | None:
    """Return the change that a line asks for, empty for a blank line, or None for the end. Raises InvalidRequest."""
    words = line.split()
    if not words:
        return {}
    name, values = words[0].lower(), words[1:]
    if name in STOP and not values:
        return None
    if name == "notes":
        return {"notes": [note_number(word) for word in " ".join(values).replace(",", " ").split()]}
    if name == "second":
        return {"second_prompt": " ".join(values) or None}
    if name == "prompt" and values:
        return {"prompt": " ".join(values)}
    if name == "drums" and len(values) == 1 and values[0].lower() in DRUMS:
        return {"drums": DRUMS[values[0].lower()]}
    # "blend of jazz and soul" is a prompt.
    if name in NUMBERS and len(values) == 1:
        return {name: _number(name, values[0])}
    return {"prompt": line.strip()}


def note_number(text: str) -> int:
    """Return the MIDI number of a note such as ``60``, ``C4`` or ``Bb3``; middle C is C4. Raises InvalidRequest."""
    if text.isdecimal() and len(text) <= 3:
        return int(text)
    match = _NOTE.fullmatch(text)
    if match is None:
        raise InvalidRequest("notes", f"must be notes such as C4, F#3 or 60, got {text[:20]!r}")
    letter, accidental, octave = match.groups()
    return 12 * (int(octave) + 1) + LETTERS[letter.upper()] + {"#": 1, "b": -1, "": 0}[accidental.lower()]


def _number(name: str, text: str) -> float | None:
    if text.lower() == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(name, f"must be a number, got {text[:20]!r}") from None
