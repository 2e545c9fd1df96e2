"""Text as a reader takes it: without the characters that nobody sees, and in one spelling of each character."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point, and the marks of interlinear annotations."""
_JOINING_SCRIPTS = "\u0590-\u10ff\u1780-\u1cff\ua800-\uabff\U00011000-\U0001257f"
"""From Hebrew to the scripts of India and South-East Asia, where a joiner after a letter changes how it is written."""
_HIDDEN = re.compile(rf"(?<![{_JOINING_SCRIPTS}])[\u200c\u200d]|(?![\u200c\u200d])[{_INVISIBLE}]")
_ENCLOSING = re.compile("[\u20dd-\u20e0\u20e2-\u20e4]")  # the key around the digit of an emoji
_FRACTION_AFTER_DIGIT = re.compile("(?<=[0-9])(?=[¼-¾⅐-⅞])")  # else 1½ becomes 11/2
_SAME_AS = str.maketrans({
    "\u2044": "/", "\u2215": "/", "\u29f8": "/", "\u2028": "\n", "\u2029": "\n", "\u1680": " ",
})  # fmt: skip


def visible_text(text: str) -> str:
    """Return a text without invisible characters; joiners stay where a script needs them."""
    return text if text.isascii() else _HIDDEN.sub("", text)


def plain_text(text: str) -> str:
    """Return a text for reading: visible, in NFKC, with one character for each kind of fraction bar and line end."""
    if text.isascii():
        return text
    spaced = _FRACTION_AFTER_DIGIT.sub(" ", _ENCLOSING.sub("", visible_text(text)))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", spaced)).translate(_SAME_AS)
