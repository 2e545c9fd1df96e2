"""Names of files from words."""

from __future__ import annotations

import re

from tunesmith.plain_text import plain_text

MAX_SLUG = 48


def slug(text: str) -> str:
    """Return the words of a prompt as a file name that every system takes."""
    words = re.findall(r"\w+", plain_text(text).lower())
    name = ""
    for word in words:
        if len(name) + len(word) + 1 > MAX_SLUG:
            break
        name = f"{name}-{word}" if name else word
    return name or (words[0][:MAX_SLUG] if words else "music")
