"""JSON from callers: what is broken, too deep or too large is refused before anybody looks at a value."""

from __future__ import annotations

import json
import time
from typing import Any

import budgets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_speed import slowness

from tunesmith.errors import InvalidRequest
from tunesmith.server.apis.request_body import (
    MAX_NAME_CHARACTERS,
    MAX_NESTING,
    MAX_STRING_CHARACTERS,
    MAX_VALUES,
    parse_json,
)
from tunesmith.server.errors import BadRequest, NotJson

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@budgets.VALUES
@given(VALUES, st.booleans())
def test_what_is_fine_is_read_as_it_was_written(value: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("raw", [b"", b"{", b"nonsense", b'{"a": }', b"[1 2]", b'{"a": "\x00"}', b'{"a": "\\x"}'])
def test_what_is_not_json_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(NotJson, match=r"^body: is not JSON$"):
        parse_json(raw)


@pytest.mark.parametrize("raw", [b"\xff", b'{"a": "\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16")])
def test_what_is_not_utf8_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="UTF-8"):
        parse_json(raw)


@pytest.mark.parametrize("raw", [
    b"[" * 100_000, b'{"a":' * 100_000, b"[" * 40_000 + b"]" * 40_000, b"[" * 500 + b"]" * 500,
    b"[" * (MAX_NESTING + 2) + b"]" * (MAX_NESTING + 2),
])  # fmt: skip
def test_what_is_nested_too_deeply_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^body: (must be nested at most|must hold at most|is not JSON)"):
        parse_json(raw)


def test_nesting_is_allowed_up_to_its_limit() -> None:
    assert parse_json(b"[" * MAX_NESTING + b"]" * MAX_NESTING)


@pytest.mark.parametrize("value", [[0] * (MAX_VALUES - 1), dict.fromkeys(map(str, range(MAX_VALUES - 1)))])
def test_values_are_counted(value: list[int] | dict[str, None]) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    with pytest.raises(BadRequest, match=rf"must hold at most {MAX_VALUES} values"):
        parse_json(json.dumps({"a": value}).encode())


@pytest.mark.parametrize(("raw", "field"), [
    (b'{"seed": NaN}', "seed"), (b'{"hits": [{"time": Infinity}]}', "hits.0.time"), (b'{"a": -Infinity}', "a"),
    (b'{"a": 1e999}', "a"), (b'{"a": ' + b"9" * 41 + b"}", "a"), (b'{"a": -' + b"9" * 100_000 + b"}", "a"),
    (b'{"a": "\\ud800"}', "a"), (b'{"a": ["", "\\udc00x"]}', "a.1"), (b'{"a": "\\u0000"}', "a"),
    (b'{"a": {"\\ud800": 1}}', "a.(a name)"), (b'"\\ud800"', "body"),
    (b'{"a": "%s"}' % (b"x" * (MAX_STRING_CHARACTERS + 1)), "a"),
    (b'{"a": {"%s": 1}}' % (b"x" * (MAX_NAME_CHARACTERS + 1)), "a"),
])  # fmt: skip
def test_a_value_that_no_field_can_have_is_named(raw: bytes, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_json(raw)
    assert caught.value.field == field
    assert len(str(caught.value).encode()) < 200


def test_only_the_named_fields_may_hold_long_text() -> None:
    long = "x" * (MAX_STRING_CHARACTERS + 1)
    assert parse_json(json.dumps({"audio": long}).encode(), ["audio"]) == {"audio": long}
    for field, limit in {"prompt": 2000, "inputs": 2000, "genre": 64, "odd": MAX_STRING_CHARACTERS}.items():
        with pytest.raises(InvalidRequest, match=rf"^{field}: must be at most {limit} characters, got {len(long)}$"):
            parse_json(json.dumps({field: long}).encode(), ["audio"])
    with pytest.raises(InvalidRequest, match=r"^instruments\.0: must be at most 64 characters"):
        parse_json(json.dumps({"instruments": [long]}).encode())


@pytest.mark.parametrize("piece", [b"0,", b"[],", b"{},", b"[[0]],", b'"",', b'{"a":[]},', b"1e9,"])
def test_a_body_of_the_largest_size_is_refused_quickly(piece: bytes) -> None:
    raw = b"[" + piece * (10**6 // len(piece) - 2) + b"0]"
    began = time.process_time()
    with pytest.raises(BadRequest):
        parse_json(raw)
    assert time.process_time() - began < 0.05 * slowness()
