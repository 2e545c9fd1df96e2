"""Request bodies: JSON whatever the Content-Type, checked before anything uses a value, and forms."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_NUMBER_CHARACTERS, GivenFields, checked, max_characters
from tunesmith.server.errors import BadRequest, NotJson, PayloadTooLarge
from tunesmith.server.long_text import LONG_BYTES, LongText, cut_long_strings, text_of_mark
from tunesmith.server.middleware.request_limits import MAX_BYTES_WITHOUT_RECORDING

WHOLE_BODY = "body"
"""The field name of errors about the whole body."""

MAX_NESTING = 32
MAX_VALUES = 10_000
"""The maximum number of values in a document, nested ones included."""

MAX_STRING_CHARACTERS = 16_384
"""The maximum length of a string whose field has no limit of its own; recordings have none."""

MAX_MARKS = 5 * MAX_VALUES
"""The maximum number of commas and brackets before parsing: above MAX_VALUES, as text may contain them."""

MAX_NAME_CHARACTERS = 256
A_NAME = "(a name)"
"""A placeholder in errors about a field's name itself."""

MAX_QUOTES = 10 * MAX_VALUES
MAX_BYTES = MAX_BYTES_WITHOUT_RECORDING
"""The maximum size of a document without its recordings."""

MAX_DIGITS = MAX_NUMBER_CHARACTERS
"""The maximum digits of an integer: longer ones take quadratic time to parse and fit no field."""

Path = tuple[str | int, ...]


def parse_json(raw: bytes, long_fields: Collection[str] = ()) -> Any:
    """Return the value of a JSON document.

    Strings under the names in ``long_fields`` may be long. Raises BadRequest if the text is not JSON, is nested too
    deeply or holds too many values; PayloadTooLarge; and InvalidRequest, with the field, for a number that is not
    finite and for text that is too long or that no database or response can hold (NUL, a lone surrogate).
    """
    long_texts: list[LongText] = []
    if long_fields and len(raw) > LONG_BYTES:
        raw, long_texts = cut_long_strings(raw, MAX_QUOTES)
    if len(raw) > MAX_BYTES:
        raise PayloadTooLarge(MAX_BYTES, "the request without its recordings")
    # Count before parsing: the parser itself would build all the values and block other threads.
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
    """Decode UTF-8. Raises BadRequest for other bytes."""
    try:
        # Some Windows programs start with a byte order mark.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest("body: must be text in UTF-8") from None


def _whole_number(digits: str) -> int | float:
    """Return an integer; one with too many digits becomes infinite, so that the check of values names its field."""
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


@dataclass(frozen=True, slots=True)
class _Checks:
    """The checks of all values of a document; they also put long texts back where allowed."""

    long_fields: Collection[str]
    long_texts: list[LongText]
    may_have_escapes: bool

    def checked(self, document: Any) -> Any:
        """Return the checked document. Raises BadRequest and InvalidRequest."""
        root = [document]
        values = -1
        # A stack instead of recursion: deep nesting must not exhaust Python's own stack.
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
        long_text = self._cut_text(name)
        length = len(name) if long_text is None else long_text.raw_bytes
        if length > MAX_NAME_CHARACTERS:
            problem = f"must have names of at most {MAX_NAME_CHARACTERS} characters, got {length}"
            raise InvalidRequest(_named(path), problem)
        self._check_characters((*path, A_NAME), name)

    def _checked_text(self, path: Path, text: str) -> str:
        long_text = self._cut_text(text)
        length = len(text) if long_text is None else long_text.raw_bytes
        if length > MAX_STRING_CHARACTERS and path[-1] not in self.long_fields:
            field = next((part for part in reversed(path) if isinstance(part, str)), "")
            most = max_characters(field, MAX_STRING_CHARACTERS)
            raise InvalidRequest(_named(path), f"must be at most {most} characters, got {length}")
        if long_text is not None:
            return long_text
        self._check_characters(path, text)
        return text

    def _cut_text(self, text: str) -> LongText | None:
        """Return the long string that was cut out in the place of ``text``, if any."""
        return text_of_mark(text, self.long_texts) if self.long_texts else None

    def _check_characters(self, path: Path, text: str) -> None:
        if not self.may_have_escapes:
            # Without escapes, JSON in UTF-8 can hold neither.
            return
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


PARSED_AT_ONCE_BYTES = 32_768
"""The largest body in bytes that is parsed on the event loop; a larger one is parsed in a thread."""

Body = TypeVar("Body", bound=GivenFields)
Result = TypeVar("Result")
Rest = ParamSpec("Rest")


async def read_object(request: Request, long_fields: Collection[str] = ()) -> dict[str, Any]:
    """Return the body, a JSON object; an empty body is an empty object.

    Fields in ``long_fields`` may hold long strings. Raises BadRequest, and InvalidRequest, which names the field.
    """
    raw = await _raw_body(request) or b"{}"
    document = await in_thread_if_large(parse_json, raw, long_fields)
    if not isinstance(document, dict):
        raise InvalidRequest(WHOLE_BODY, "must be a JSON object")
    return document


async def _raw_body(request: Request) -> bytes:
    """Return the raw body; the chunks of a large one are joined in a thread."""
    chunks = [chunk async for chunk in request.stream()]
    is_large = sum(map(len, chunks)) > PARSED_AT_ONCE_BYTES
    return await asyncio.to_thread(_joined, chunks) if is_large else b"".join(chunks)


def _joined(chunks: list[bytes]) -> bytes:
    raw = b"".join(chunks)
    # Frees the chunks at once: the caller still refers to the list, and a large body would be in memory twice.
    chunks.clear()
    return raw


async def in_thread_if_large(
    parse: Callable[Concatenate[bytes, Rest], Result], raw: bytes, *rest: Rest.args, **named: Rest.kwargs
) -> Result:
    """Return ``parse(raw, …)``; a large body is parsed in a thread, so that other requests are not held up."""
    if len(raw) <= PARSED_AT_ONCE_BYTES:
        return parse(raw, *rest, **named)
    return await asyncio.to_thread(parse, raw, *rest, **named)


async def read_body(request: Request, kind: type[Body]) -> Body:
    """Read and validate the body. Raises BadRequest, and InvalidRequest, which names the field."""
    return checked(kind, await read_object(request))


def documented(kind: type[GivenFields], **more: Any) -> dict[str, Any]:
    """Return the OpenAPI description of a body that the route parses itself, unknown to FastAPI.

    ``more`` are schemas of further fields.
    """
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    schema["properties"] |= more
    # The docstring is for readers of the code.
    schema.pop("description", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


MULTIPART = b"multipart/form-data"
MAX_FILES, MAX_FIELDS = 8, 64
MAX_BOUNDARY_BYTES = 70
"""The limit of RFC 2046, section 5.1.1."""


def is_form(request: Request) -> bool:
    """Return whether the Content-Type declares a multipart body."""
    return request.headers.get("content-type", "").lower().startswith("multipart/")


@asynccontextmanager
async def read_form(
    request: Request, max_files: int = MAX_FILES, max_fields: int = MAX_FIELDS
) -> AsyncIterator[FormData]:
    """Yield the parts of a form and close its files afterwards. Raises BadRequest for an invalid form.

    ``max_files`` and ``max_fields`` are the largest numbers of parts.
    """
    headers = _headers_without_charset(request)
    parser = MultiPartParser(headers, request.stream(), max_files=max_files, max_fields=max_fields)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(error.message) from None
    try:
        yield form
    finally:
        await form.close()


def _headers_without_charset(request: Request) -> Headers:
    """Return the Content-Type without ``charset``, where a caller could name any of Python's codecs.

    Raises BadRequest.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    # A quote or backslash could end the boundary in the header that is built below.
    if kind != MULTIPART or not 0 < len(boundary) <= MAX_BOUNDARY_BYTES or set(boundary) & set(b'"\\'):
        raise BadRequest(
            f"Content-Type: must be multipart/form-data with a boundary of 1 to {MAX_BOUNDARY_BYTES} bytes"
        )
    return Headers(raw=[(b"content-type", MULTIPART + b'; boundary="' + boundary + b'"')])
