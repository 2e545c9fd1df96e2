"""Text files: decoding of UTF-8, and of every encoding marked by a byte order mark."""

from __future__ import annotations

import codecs
import re

from tunesmith.errors import InvalidRequest

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark is a prefix of this one.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks and their encodings."""

SAVE_AS = "save it as UTF-8"
_LONE_RETURN = re.compile(r"\r(?!\n)")


def decoded(content: bytes, name: str, field: str = "file", save_as: str = SAVE_AS) -> str:
    """Return the text of a file in UTF-8, or in the encoding of its byte order mark, without the mark.

    Raises InvalidRequest for any other encoding, with the ``field``, the file, the line and the advice ``save_as``:
    guessing an encoding could change the words.
    """
    mark, encoding = next(((mark, form) for mark, form in MARKS if content.startswith(mark)), (b"", "utf-8"))
    body = content[len(mark) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        # Count as editors do, where CR, LF and CRLF all end a line.
        line = len(re.findall("\r\n?|\n", body[: error.start].decode(encoding, errors="replace"))) + 1
        problem = f"must be text in {encoding.upper()}, which line {line} is not; {save_as}"
        raise InvalidRequest(field, f"{name}: {problem}") from None
    if "\0" in text:
        problem = f"must be text in UTF-8, but has zero bytes, as in UTF-16 without a mark; {save_as}"
        raise InvalidRequest(field, f"{name}: {problem}")
    return text


def with_line_feeds(text: str) -> str:
    """Return the text with lone carriage returns, the line ends of old Mac programs, replaced by line feeds."""
    return _LONE_RETURN.sub("\n", text)
