"""Cuts long strings out of JSON, so that what is left is small enough to be parsed in one go.

The standard library's parser lets no other thread run until it has read the whole document: 0.2 s for a recording of
100 MB in base64.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Self

from tunesmith.server.errors import BadRequest

LONG_BYTES = 65_536
"""Strings of more bytes are cut out; they are read in pieces of this size."""

START_BYTES = 512
_MARK = "\ufdd0{}"
"""Stands for a long string by its number. Who writes one names a long string of the same document: no harm done."""

_WHOLE_CHARACTERS = re.compile(
    rb"""(?: [^\\]++
    | \\[^u]
    | \\u (?![dD][89abAB]) [0-9a-fA-F]{4}
    | \\u [dD][89abAB][0-9a-fA-F]{2} (?: \\u[0-9a-fA-F]{4} | (?= [^\\] | \\[^u] ) )
    )*+""",
    re.VERBOSE,
)
"""The characters of a string up to the first escape, or pair of them, that is not whole."""

_LONGEST_ESCAPE = 12


class LongText(str):
    """The start of a string that was cut out of JSON; ``pieces`` gives all of it, ``raw_bytes`` is its length there."""

    _raw: memoryview

    @classmethod
    def cut(cls, raw: memoryview) -> Self:
        """Return the text that the bytes between the quotes stand for; raises BadRequest for a wrong escape."""
        start = next(_unescaped_pieces(raw), b"")[:START_BYTES]
        text = cls(start.decode("utf-8", "replace"))
        text._raw = raw
        return text

    @property
    def raw_bytes(self) -> int:
        """How many bytes it has in JSON."""
        return len(self._raw)

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole text in UTF-8, without the escapes of JSON; raises BadRequest for an escape that is none."""
        return _unescaped_pieces(self._raw)


def cut_long_strings(raw: bytes, most: int) -> tuple[bytes, list[LongText]]:
    """Return JSON with marks in place of its long strings, and those by the numbers in their marks.

    Only the first ``most`` strings are looked at.
    """
    kept: list[bytes] = []
    texts: list[LongText] = []
    view = memoryview(raw)
    at = end = 0
    for _ in range(most):
        start = raw.find(b'"', end)
        if start < 0:
            break
        closing = _closing_quote(raw, start + 1)
        if closing < 0:
            break
        if closing - start > LONG_BYTES:
            mark = json.dumps(_MARK.format(len(texts))).encode()
            kept += [raw[at:start], mark]
            texts.append(LongText.cut(view[start + 1 : closing]))
            at = closing + 1
        end = closing + 1
    kept.append(raw[at:])
    return b"".join(kept), texts


def text_of_mark(text: str, texts: list[LongText]) -> LongText | None:
    """Return the long string that a string of the parsed document stands for, if it is a mark."""
    if not text.startswith(_MARK[0]):
        return None
    number = text[1:]
    return texts[int(number)] if number.isascii() and number.isdecimal() and int(number) < len(texts) else None


def _unescaped_pieces(raw: memoryview) -> Iterator[bytes]:
    rest = b""
    for at in range(0, len(raw), LONG_BYTES):
        piece = rest + bytes(raw[at : at + LONG_BYTES])
        if b"\\" not in piece:
            rest = b""
            yield piece
            continue
        whole = _WHOLE_CHARACTERS.match(piece)
        end = whole.end() if whole else 0
        rest = piece[end:]
        if len(rest) >= _LONGEST_ESCAPE:
            raise _not_json()
        yield _unescaped(piece[:end])
    if rest:
        raise _not_json()


def _closing_quote(raw: bytes, at: int) -> int:
    """Return where a string ends that begins at ``at``, -1 where it does not."""
    while (end := raw.find(b'"', at)) >= 0:
        if _backslashes_before(raw, end, at) % 2 == 0:
            return end
        at = end + 1
    return -1


def _backslashes_before(raw: bytes, end: int, at: int) -> int:
    """Count the backslashes before ``end``, a piece at a time, for they may be many."""
    count = 0
    while end > at:
        piece = raw[max(at, end - LONG_BYTES) : end]
        found = len(piece) - len(piece.rstrip(b"\\"))
        count += found
        if found < len(piece):
            break
        end -= found
    return count


def _unescaped(piece: bytes) -> bytes:
    try:
        text: str = json.loads(b'"' + piece + b'"', strict=False)
    except ValueError:
        raise _not_json() from None
    return text.encode("utf-8", "replace")


def _not_json() -> BadRequest:
    return BadRequest("body: is not JSON")
