"""Which file is sent, by the Accept header and the parameter."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.server.apis.huggingface.request import ResponseFormat


@pytest.mark.parametrize(("accept", "sound"), [
    ("", "wav"), ("*/*", "wav"), ("audio/*", "wav"), ("audio/wav", "wav"), ("audio/x-wav, */*", "wav"),
    ("audio/flac", "flac"), ("AUDIO/FLAC", "flac"), ("audio/x-flac;q=0.9", "flac"), ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"), ("audio/opus", "opus"), ("audio/ogg; codecs=opus", "opus"),
    ('audio/ogg; codecs="opus"', "opus"), ("image/png, audio/mpeg, audio/flac", "mp3"),
    ("audio/flac;q=0, audio/ogg", "ogg"), ("text/html,application/xhtml+xml,*/*;q=0.8", "wav"), (";,;", "wav"),
])  # fmt: skip
def test_the_first_sound_that_can_be_written_is_sent(accept: str, sound: str) -> None:
    assert ResponseFormat.from_accept_header(None, accept) == ResponseFormat(sound, in_json=False)


@pytest.mark.parametrize("accept", ["*/*", "audio/mpeg", ""])
def test_a_format_asked_for_by_name_comes_before_the_header(accept: str) -> None:
    assert ResponseFormat.from_accept_header("flac", accept).format == "flac"


@pytest.mark.parametrize(("accept", "in_json"), [
    ("application/json", True), ("application/json; charset=utf-8", True), ("application/json, text/plain", True),
    ("application/json, text/plain, */*", False), ("application/json, audio/wav", False),
    ("application/json, audio/*", False), ("application/json;q=0", False), ("text/plain", False),
])  # fmt: skip
def test_json_is_only_for_those_who_take_no_sound(accept: str, in_json: bool) -> None:
    assert ResponseFormat.from_accept_header(None, accept).in_json is in_json


@pytest.mark.parametrize(("name", "media_type"), [
    ("wav", "audio/wav"), ("flac", "audio/flac"), ("mp3", "audio/mpeg"), ("ogg", "audio/ogg"), ("opus", "audio/ogg"),
])  # fmt: skip
def test_each_format_has_its_content_type(name: str, media_type: str) -> None:
    assert ResponseFormat.from_accept_header(name, "").media_type == media_type


@pytest.mark.parametrize("name", ["aac", "WAV", "", 7, ["wav"], {"wav": 1}])
def test_an_unknown_format_is_named(name: object) -> None:
    with pytest.raises(InvalidRequest, match="format: must be one of wav, flac, mp3, ogg, opus"):
        ResponseFormat.from_accept_header(name, "")
