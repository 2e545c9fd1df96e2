"""Text in plain form: without invisible characters, with one form of each character; and paths as text.

On Linux, file names are bytes, and some are not valid UTF-8, which JSON, databases and HTTP require. A path in UTF-8 is
its own text; any other becomes a ``file:`` URL with percent-encoded bytes, which decodes to the same bytes.
"""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point, and interlinear annotation characters."""
_JOINING_SCRIPTS = "\u0590-\u10ff\u1780-\u1cff\ua800-\uabff\U00011000-\U0001257f"
"""From Hebrew to the scripts of India and South-East Asia, where a joiner after a letter changes its shape."""
_HIDDEN = re.compile(rf"(?<![{_JOINING_SCRIPTS}])[\u200c\u200d]|(?![\u200c\u200d])[{_INVISIBLE}]")
# The keycap around the digit of an emoji.
_ENCLOSING = re.compile("[\u20dd-\u20e0\u20e2-\u20e4]")
# Without a space, NFKC turns 1½ into 11/2.
_FRACTION_AFTER_DIGIT = re.compile("(?<=[0-9])(?=[¼-¾⅐-⅞])")
_SAME_AS = str.maketrans({
    "\u2044": "/", "\u2215": "/", "\u29f8": "/", "\u2028": "\n", "\u2029": "\n", "\u1680": " ",
})  # fmt: skip


def comma_separated(text: str) -> tuple[str, ...]:
    """Return the items of a text with commas, without spaces around them; empty ones are left out."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def visible_text(text: str) -> str:
    """Return a text without invisible characters; joiners stay in scripts that need them."""
    return text if text.isascii() else _HIDDEN.sub("", text)


def plain_text(text: str) -> str:
    """Return a text for parsing: visible, in NFKC, with one character for all fraction bars and line ends."""
    if text.isascii():
        return text
    spaced = _FRACTION_AFTER_DIGIT.sub(" ", _ENCLOSING.sub("", visible_text(text)))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", spaced)).translate(_SAME_AS)


SCHEME = "file:"


def path_text(path: str | os.PathLike[str]) -> str:
    """Return a path as text that is valid in every encoding of Unicode."""
    text = os.fspath(path)
    # A path that begins like a URL is encoded too, so that decoding is unambiguous.
    if is_text(text) and not text.startswith(SCHEME):
        return text
    return SCHEME + quote_from_bytes(os.fsencode(text))


def path_of(text: str) -> Path:
    """Return the path that ``path_text`` encoded."""
    if not text.startswith(SCHEME):
        return Path(text)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(SCHEME))))


def is_text(text: str) -> bool:
    """Tell whether a text has no lone surrogates, which stand for invalid UTF-8 bytes in file names."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def library_path(path: Path) -> str | bytes:
    """Return a path for libraries that encode text strictly: its bytes, or its text on Windows."""
    return str(path) if os.name == "nt" else os.fsencode(path)
