"""Text in a picture: a font that has its letters. Needs matplotlib, which is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

SHOWS_BOXES = "Last Resort"
"""The font whose every letter is a box, which matplotlib brings along."""


def drawable_text(text: str) -> tuple[str, FontProperties]:
    """Return a text and a font of this machine that has all its letters.

    Where no font has them, the letters that matplotlib's own font lacks are left out.
    """
    from matplotlib.font_manager import FontProperties, findfont, fontManager

    # A file name may hold surrogates, which no font has.
    text = " ".join(text.encode(errors="replace").decode().split())
    usual = FontProperties()
    missing = _missing(text, findfont(usual))
    if not missing:
        return text, usual
    for entry in sorted(fontManager.ttflist, key=lambda entry: entry.fname):
        if entry.style == "normal" and SHOWS_BOXES not in entry.name and not _missing(text, entry.fname):
            return text, FontProperties(fname=entry.fname)
    return " ".join("".join(letter for letter in text if letter not in missing).split()), usual


def _missing(text: str, path: str) -> str:
    """Return the letters that a font file lacks."""
    from matplotlib.ft2font import FT2Font

    font = FT2Font(path)
    return "".join(letter for letter in text if not font.get_char_index(ord(letter)))
