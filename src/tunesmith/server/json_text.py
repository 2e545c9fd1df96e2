"""Parses JSON from callers: its size, nesting, numbers and text are checked before anything else looks at a value."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import InvalidRequest
from tunesmith.field_limits import MAX_NUMBER_CHARACTERS, max_characters
from tunesmith.server.errors import BadRequest, NotJson, PayloadTooLarge
from tunesmith.server.long_text import LONG_BYTES, LongText, cut_long_strings, text_of_mark
from tunesmith.server.middleware.security import MAX_BYTES_WITHOUT_RECORDING

WHOLE_BODY = "body"
"""The name of a body as a field, where the whole of it is wrong."""

MAX_NESTING = 32
MAX_VALUES = 10_000
"""How many values a document may hold, with those inside of others."""

MAX_STRING_CHARACTERS = 16_384
"""How long a string may be whose field has no limit of its own yet; recordings have none."""

MAX_MARKS = 5 * MAX_VALUES
"""How many commas and brackets are parsed at all: more than MAX_VALUES, since text may contain them."""

MAX_NAME_CHARACTERS = 256
A_NAME = "(a name)"
"""Stands for the name of a field where that name itself is wrong."""

MAX_QUOTES = 10 * MAX_VALUES
MAX_BYTES = MAX_BYTES_WITHOUT_RECORDING
"""How large a document may be without its recordings."""

MAX_DIGITS = MAX_NUMBER_CHARACTERS
"""Digits of the longest whole number that is read as one; longer ones take quadratic time and fit no field."""

Path = tuple[str | int, ...]


def parse_json(raw: bytes, long_fields: Collection[str] = ()) -> Any:
    """Return what a JSON document holds.

    Strings may be long under the names in ``long_fields``. Raises BadRequest for what is not JSON, is nested too
    deeply or holds too many values, and InvalidRequest that names the field for a number that is not finite and for
    text that is too long or that no database and no answer can hold (NUL, half a surrogate pair).
    """
    long_texts: list[LongText] = []
    if long_fields and len(raw) > LONG_BYTES:
        raw, long_texts = cut_long_strings(raw, MAX_QUOTES)
    if len(raw) > MAX_BYTES:
        raise PayloadTooLarge(MAX_BYTES, "the request without its recordings")
    if sum(raw.count(mark) for mark in b",[{") > MAX_MARKS or raw.count(b'"') > MAX_QUOTES:
        raise _too_many()
    text = decode_text(raw)
    try:
        document = json.loads(text, parse_int=_whole_number)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise NotJson("body: is not JSON") from None
    checks = _Checks(long_fields, long_texts, may_have_escapes="\\u" in text)
    return checks.checked(document)


def decode_text(raw: bytes) -> str:
    """Return bytes as text; raises BadRequest for what is not UTF-8."""
    try:
        return raw.decode("utf-8-sig")  # some programs of Windows begin with a byte order mark
    except UnicodeDecodeError:
        raise BadRequest("body: must be text in UTF-8") from None


def _whole_number(digits: str) -> int | float:
    """Return a whole number; one with too many digits becomes infinite, so that the check of values names its field."""
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


@dataclass(frozen=True, slots=True)
class _Checks:
    """Checks every value of a document, and puts the long texts back where they may be."""

    long_fields: Collection[str]
    long_texts: list[LongText]
    may_have_escapes: bool

    def checked(self, document: Any) -> Any:
        """Return the document; raises BadRequest and InvalidRequest."""
        root = [document]
        values = -1
        waiting: list[tuple[Path, Any]] = [((), root)]
        while waiting:
            path, value = waiting.pop()
            values += 1
            if values > MAX_VALUES:
                raise _too_many()
            if len(path) > MAX_NESTING + 1:
                raise _too_deep()
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidRequest(_named(path), f"must be a finite number of at most {MAX_DIGITS} digits")
            members = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
            for name, member in members:
                if isinstance(name, str):
                    self._check_name(path, name)
                if isinstance(member, str):
                    value[name] = self._checked_text((*path, name), member)
                waiting.append(((*path, name), member))
        return root[0]

    def _check_name(self, path: Path, name: str) -> None:
        long_text = text_of_mark(name, self.long_texts)
        length = len(name) if long_text is None else long_text.raw_bytes
        if length > MAX_NAME_CHARACTERS:
            problem = f"must have names of at most {MAX_NAME_CHARACTERS} characters, got {length}"
            raise InvalidRequest(_named(path), problem)
        self._check_characters((*path, A_NAME), name)

    def _checked_text(self, path: Path, text: str) -> str:
        long_text = text_of_mark(text, self.long_texts)
        length = len(text) if long_text is None else long_text.raw_bytes
        if length > MAX_STRING_CHARACTERS and path[-1] not in self.long_fields:
            field = next((part for part in reversed(path) if isinstance(part, str)), "")
            most = max_characters(field, MAX_STRING_CHARACTERS)
            raise InvalidRequest(_named(path), f"must be at most {most} characters, got {length}")
        if long_text is not None:
            return long_text
        self._check_characters(path, text)
        return text

    def _check_characters(self, path: Path, text: str) -> None:
        if not self.may_have_escapes:
            return  # without escapes JSON in UTF-8 can hold neither
        if "\0" in text:
            raise InvalidRequest(_named(path), "must not contain the character NUL")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            half = f"U+{ord(text[error.start]):04X}"
            raise InvalidRequest(_named(path), f"must be text in UTF-8, got half a surrogate pair ({half})") from None


def _named(path: Path) -> str:
    return ".".join(str(part)[:80] for part in path[1:]) or WHOLE_BODY


def _too_many() -> BadRequest:
    return BadRequest(f"body: must hold at most {MAX_VALUES} values")


def _too_deep() -> BadRequest:
    return BadRequest(f"body: must be nested at most {MAX_NESTING} deep")
