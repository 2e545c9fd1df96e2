"""Long strings are cut out of JSON, and come back whole, a piece at a time."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.server.apis.request_body import MAX_BYTES, parse_json
from tunesmith.server.errors import BadRequest, PayloadTooLarge
from tunesmith.server.long_text import LONG_BYTES, LongText, cut_long_strings
from tunesmith.server.remote_audio import decode_base64

LONG = [LONG_BYTES, LONG_BYTES + 1, 2 * LONG_BYTES + 7]


def whole(text: str) -> str:
    assert isinstance(text, LongText)
    return b"".join(text.chunks()).decode()


@pytest.mark.parametrize("length", LONG)
@pytest.mark.parametrize("alphabet", ["AB+/=", 'a"\\/', "\n\t\x00", "é🎷a", '\\"'])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_long_text_comes_back_whole_whatever_is_escaped(length: int, alphabet: str, ascii_only: bool) -> None:
    text = "".join(random.Random(length).choices(alphabet, k=length))
    fields = {"prompt": "calm", "input": {"audio": text, "seed": 7}, "after": "x"}
    read = parse_json(json.dumps(fields, ensure_ascii=ascii_only).encode(), ["audio"])
    assert whole(read["input"].pop("audio")) == text
    assert read == {"prompt": "calm", "input": {"seed": 7}, "after": "x"}


def test_its_start_tells_what_it_is() -> None:
    uri = "data:audio\\/wav;base64," + "A" * LONG_BYTES
    assert parse_json(f'{{"audio": "{uri}"}}'.encode(), ["audio"])["audio"].startswith("data:audio/wav;base64,AAA")


def test_two_long_texts_are_told_apart() -> None:
    first, second = "a" * 70_000, "b" * 80_000
    read = parse_json(json.dumps({"audio": first, "melody": second}).encode(), ["audio", "melody"])
    assert (whole(read["audio"]), whole(read["melody"])) == (first, second)


@pytest.mark.parametrize("raw", [
    b'{"prompt":"%s"}', b'{"audio":{"x":"%s"}}', b'{"%s":1}', b'["%s"]', b'"%s"', b'{"prompt":"\\ufdd00","audio":"%s"}',
])  # fmt: skip
def test_a_long_text_elsewhere_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"must (be at most \d+ characters, got 7\d+|have names of at most 256)"):
        parse_json(raw % (b"x" * 70_000), ["audio"])


@pytest.mark.parametrize("ending", [b"", b"\\", b'\\"'])
def test_a_long_text_that_does_not_end_is_not_json(ending: bytes) -> None:
    with pytest.raises(BadRequest, match="is not JSON"):
        parse_json(b'{"audio":"' + b"x" * 70_000 + ending, ["audio"])


def test_what_is_large_without_its_recordings_is_refused() -> None:
    with pytest.raises(PayloadTooLarge, match=r"^the request without its recordings must be at most 1 MB$"):
        parse_json(b'{"audio":"%s"}' % (b"x" * 70_000) + b" " * int(MAX_BYTES), ["audio"])


@pytest.mark.parametrize("wrong", [b"\\x", b"\\u12", b"\\uZZZZ", b"\\u"])
def test_a_wrong_escape_in_a_long_text_is_not_json(wrong: bytes) -> None:
    with pytest.raises(BadRequest, match="is not JSON"):
        decode_base64(parse_json(b'{"audio":"%s"}' % (b"x" * 70_000 + wrong), ["audio"])["audio"], "audio", 10**6)


def test_short_texts_stay_where_they_are() -> None:
    raw: Any = json.dumps({"a": "x" * 1000, "b": ["y", 'z"\\']}).encode()
    assert cut_long_strings(raw, 10) == (raw, [])
