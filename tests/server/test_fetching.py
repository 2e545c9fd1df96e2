"""Sounds fetched for a request."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io

import httpx
import numpy as np
import pytest
import soundfile
from receivers import Reply, receiver
from sounds import wav_bytes

from tunesmith.errors import InvalidRequest
from tunesmith.server.fetching import Fetcher, FetchLimits
from tunesmith.server.outgoing import Guard


def _fetch(source: str, limits: FetchLimits | None = None, allow_private: bool = True) -> bytes:
    return asyncio.run(Fetcher(Guard(allow_private), limits).fetch(source, "input_audio"))


def _uri(content: bytes) -> str:
    return "data:audio/wav;base64," + base64.b64encode(content).decode()


def test_a_data_uri_holds_a_sound() -> None:
    assert _fetch(_uri(wav_bytes())) == wav_bytes()
    assert _fetch(_uri(wav_bytes()).rstrip("=")) == wav_bytes()


def test_a_sound_is_fetched_from_the_web_through_a_redirect() -> None:
    def answer(got: object) -> Reply:
        return (
            Reply(302, headers={"location": "/b.wav"}) if getattr(got, "path", "") == "/a" else Reply(200, wav_bytes())
        )

    with receiver(answer) as there:
        assert _fetch(f"{there.url}/a") == wav_bytes()


@pytest.mark.parametrize("source", [
    "data:audio/wav;base64,!!!", "data:audio/wav", "data:text/plain,hello", "ftp://x/y", "/etc/passwd", "",
    "file:///etc/passwd", _uri(b""), _uri(wav_bytes(0.0)),
])  # fmt: skip
def test_what_is_no_sound_is_refused_by_field(source: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^input_audio: "):
        _fetch(source)


def test_this_machine_is_not_fetched_from_unless_allowed() -> None:
    with receiver(lambda _: Reply(200, wav_bytes())) as there:
        with pytest.raises(InvalidRequest, match="open internet"):
            _fetch(f"{there.url}/a.wav", allow_private=False)
        assert there.received == []


def test_too_many_bytes_and_too_long_sounds_are_refused() -> None:
    few = FetchLimits(bytes=1_000)
    with receiver(lambda _: Reply(200, wav_bytes())) as there:
        for source in (f"{there.url}/a.wav", _uri(wav_bytes())):
            with pytest.raises(InvalidRequest, match=r"at most 0.001 MB"):
                _fetch(source, few)
    with pytest.raises(InvalidRequest, match=r"at most 0.5 s"):
        _fetch(_uri(wav_bytes()), FetchLimits(audio_seconds=0.5))


def test_a_server_that_has_no_such_file_is_told() -> None:
    with receiver(lambda _: Reply(404)) as there, pytest.raises(InvalidRequest, match="answered 404"):
        _fetch(f"{there.url}/a.wav")


def test_what_unpacks_to_far_more_than_its_bytes_is_refused() -> None:
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros((48_000, 8), np.float32), 48_000, format="FLAC")
    assert len(silence.getvalue()) < 1_000
    with pytest.raises(InvalidRequest, match=r"at most 2 s long, in stereo"):
        _fetch(_uri(silence.getvalue()), FetchLimits(audio_seconds=2))
    packed = gzip.compress(wav_bytes())
    with receiver(lambda _: Reply(200, packed, {"content-encoding": "gzip"})) as there:
        with pytest.raises(InvalidRequest, match="is not a sound file"):
            _fetch(f"{there.url}/a.wav")
        assert there.received[0].headers["accept-encoding"] == "identity"


def test_a_redirect_to_this_machine_is_not_followed() -> None:
    class PublicHere(Guard):
        async def address_for(self, url: httpx.URL, field: str) -> str:
            return "127.0.0.1" if url.host == "here.test" else await super().address_for(url, field)

    with receiver(lambda _: Reply(302, headers={"location": there.url})) as there:
        address = f"http://here.test:{httpx.URL(there.url).port}/"
        with pytest.raises(InvalidRequest, match="not on the open internet"):
            asyncio.run(Fetcher(PublicHere()).fetch(address, "input_audio"))
        assert len(there.received) == 1
