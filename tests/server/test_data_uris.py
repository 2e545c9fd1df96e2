"""Sounds inside JSON are decoded piece by piece to the same bytes as in one go."""

from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote_from_bytes

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.server.apis.request_body import parse_json
from tunesmith.server.remote_audio import decode_base64, decode_data_uri

SIZES = [1, 2, 3, 1000, 49_151, 49_152, 49_153, 200_001]


def sent(text: str) -> str:
    """Return a text as a reader of JSON gets it: long ones are cut out."""
    found: str = parse_json(json.dumps({"audio": text}).encode(), ["audio"])["audio"]
    return found


@pytest.mark.parametrize("size", SIZES)
def test_every_form_of_a_sound_is_decoded(size: int) -> None:
    content = random.Random(size).randbytes(size)
    text = base64.b64encode(content).decode()
    lines = base64.encodebytes(content).decode()
    assert decode_base64(sent(text), "audio", 10**6) == content
    assert decode_base64(sent(text.rstrip("=")), "audio", 10**6) == content
    for body in (text, lines, text.rstrip("="), text.replace("+", "%2B").replace("/", "%2f")):
        assert decode_data_uri(sent(f"data:audio/wav;base64,{body}"), "audio", 10**6) == content
    assert decode_data_uri(sent(f"data:audio/wav,{quote_from_bytes(content)}"), "audio", 10**6) == content


@pytest.mark.parametrize("text", ["!", "A", "A" * 70_001, "QUJD=QUJD", "Q" * 70_000 + "=" + "Q" * 70_000, "é" * 70_000])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="audio: must be audio in base64"):
        decode_base64(sent(text), "audio", 10**6)
    with pytest.raises(InvalidRequest, match="audio: is not a data URI in base64"):
        decode_data_uri(sent(f"data:audio/wav;base64,{text}"), "audio", 10**6)


@pytest.mark.parametrize("uri", ["data:audio/wav", "data:" + "x" * 100_000, "data:" + "x" * 600 + ","])
def test_a_uri_without_a_comma_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="no comma"):
        decode_data_uri(sent(uri), "audio", 10**6)


def test_what_is_too_large_is_refused_before_it_is_decoded_whole() -> None:
    text = base64.b64encode(bytes(200_000)).decode()
    for decode, source in ((decode_base64, text), (decode_data_uri, f"data:audio/wav;base64,{text}")):
        with pytest.raises(InvalidRequest, match=r"audio: must be at most 0.1 MB"):
            decode(sent(source), "audio", 100_000)
