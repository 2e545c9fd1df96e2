"""Extraction of long strings from JSON, so that the rest is small enough to parse in one go.

The standard library's parser holds the interpreter lock for the whole document: 0.2 s for a recording of 100 MB in
base64.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Self

from tunesmith.server.errors import BadRequest

LONG_BYTES = 65_536
"""Longer strings are cut out; they are read in chunks of this size."""

START_BYTES = 512
_MARK = "\ufdd0{}"
"""The placeholder of a long string, with its number. A client that sends one names a string of its own document."""

_WHOLE_CHARACTERS = re.compile(
    rb"""(?: [^\\]++
    | \\[^u]
    | \\u (?![dD][89abAB]) [0-9a-fA-F]{4}
    | \\u [dD][89abAB][0-9a-fA-F]{2} (?: \\u[0-9a-fA-F]{4} | (?= [^\\] | \\[^u] ) )
    )*+""",
    re.VERBOSE,
)
"""The characters of a string up to the first incomplete escape or surrogate pair."""

# A pair of surrogates, such as \ud83c\udfb5.
_LONGEST_ESCAPE = 12


class LongText(str):
    """The start of a string that was cut out of JSON; ``chunks`` yields all of it, ``raw_bytes`` is its JSON length."""

    _raw: memoryview

    @classmethod
    def cut(cls, raw: memoryview) -> Self:
        """Return the text of the bytes between the quotes. Raises BadRequest for an invalid escape."""
        start = next(_unescaped_chunks(raw), b"")[:START_BYTES]
        text = cls(start.decode("utf-8", "replace"))
        text._raw = raw
        return text

    @property
    def raw_bytes(self) -> int:
        """The number of bytes in JSON."""
        return len(self._raw)

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole text in UTF-8 with JSON's escapes decoded. Raises BadRequest for an invalid escape."""
        return _unescaped_chunks(self._raw)


def cut_long_strings(raw: bytes, most: int) -> tuple[bytes, list[LongText]]:
    """Return JSON with placeholders for its long strings, and these strings by number.

    Only the first ``most`` strings are examined.
    """
    kept: list[bytes] = []
    texts: list[LongText] = []
    # A view: each long string refers to its part of the body instead of copying it.
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
    """Return the long string of a placeholder in the parsed document; None for any other text."""
    if not text.startswith(_MARK[0]):
        return None
    number = text[1:]
    return texts[int(number)] if number.isascii() and number.isdecimal() and int(number) < len(texts) else None


def _unescaped_chunks(raw: memoryview) -> Iterator[bytes]:
    rest = b""
    for at in range(0, len(raw), LONG_BYTES):
        # A chunk may end inside an escape, whose start moves to the next chunk.
        chunk = rest + bytes(raw[at : at + LONG_BYTES])
        # Base64 rarely has escapes, so most recordings take this path.
        if b"\\" not in chunk:
            rest = b""
            yield chunk
            continue
        whole = _WHOLE_CHARACTERS.match(chunk)
        end = whole.end() if whole else 0
        rest = chunk[end:]
        # Every valid escape is shorter than this.
        if len(rest) >= _LONGEST_ESCAPE:
            raise _not_json()
        yield _unescaped(chunk[:end])
    if rest:
        raise _not_json()


def _closing_quote(raw: bytes, at: int) -> int:
    """Return the position of a string's closing quote, -1 if it has none."""
    while (end := raw.find(b'"', at)) >= 0:
        if _backslashes_before(raw, end, at) % 2 == 0:
            return end
        at = end + 1
    return -1


def _backslashes_before(raw: bytes, end: int, at: int) -> int:
    """Count the backslashes before ``end``, chunk by chunk, because there may be many."""
    count = 0
    while end > at:
        chunk = raw[max(at, end - LONG_BYTES) : end]
        found = len(chunk) - len(chunk.rstrip(b"\\"))
        count += found
        if found < len(chunk):
            break
        end -= found
    return count


def _unescaped(chunk: bytes) -> bytes:
    try:
        text: str = json.loads(b'"' + chunk + b'"', strict=False)
    except ValueError:
        raise _not_json() from None
    return text.encode("utf-8", "replace")


def _not_json() -> BadRequest:
    return BadRequest("body: is not JSON")
