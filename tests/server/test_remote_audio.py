"""Sounds fetched for a request."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import tracemalloc

import httpx
import numpy as np
import pytest
import soundfile
from receivers import Reply, receiver
from sounds import wav_bytes

from tunesmith.audio.decode_check import check_sound
from tunesmith.audio.spool import Samples
from tunesmith.errors import InvalidRequest
from tunesmith.server.remote_audio import FetchLimits, RemoteAudioFetcher
from tunesmith.server.ssrf_guard import AddressGuard


def _fetch(source: str, limits: FetchLimits | None = None, allow_private: bool = True) -> bytes:
    return asyncio.run(RemoteAudioFetcher(AddressGuard(allow_private), limits).fetch(source, "input_audio"))


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
        with pytest.raises(InvalidRequest, match="public internet"):
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
        with pytest.raises(InvalidRequest, match="is not a readable audio file"):
            _fetch(f"{there.url}/a.wav")
        assert there.received[0].headers["accept-encoding"] == "identity"


def test_a_redirect_to_this_machine_is_not_followed() -> None:
    class PublicHere(AddressGuard):
        async def address_for(self, url: httpx.URL, field: str) -> str:
            return "127.0.0.1" if url.host == "here.test" else await super().address_for(url, field)

    with receiver(lambda _: Reply(302, headers={"location": there.url})) as there:
        address = f"http://here.test:{httpx.URL(there.url).port}/"
        with pytest.raises(InvalidRequest, match="not on the public internet"):
            asyncio.run(RemoteAudioFetcher(PublicHere()).fetch(address, "input_audio"))
        assert len(there.received) == 1


def _sound(samples: Samples, rate: int, container: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


UNFOLDING = [
    (_sound(np.zeros((1_740, 1), np.float32), 1), "must have a sample rate of 1000 to 192000 Hz, got 1"),
    (_sound(np.zeros((4, 1_024), np.float32), 48_000), "must have at most 8 channels, got 1024"),
    (_sound(np.zeros((9_000, 8), np.float32), 1_000, "FLAC"), "must be at most 2 s long"),
    (_sound(np.zeros((96_000, 4), np.float32), 96_000, "FLAC"), "must be at most 2 s long, in stereo at 48 kHz"),
    (_sound(np.zeros((3_000_000, 1), np.float32), 48_000, "FLAC"), "must be at most 2 s long"),
    (_sound(np.zeros((200_000, 1), np.float32), 48_000, "OGG"), "must be at most 2 s long"),
    (_sound(np.full((48_000, 1), np.nan, np.float32), 48_000, "WAV", "FLOAT"), "samples that are NaN or infinite"),
]


@pytest.mark.parametrize(("content", "problem"), UNFOLDING, ids=[problem for _, problem in UNFOLDING])
def test_small_files_that_unfold_are_refused_in_little_memory(content: bytes, problem: str) -> None:
    check_sound(_sound(np.zeros((48_000, 1), np.float32), 48_000), "audio", 2)  # loads what decoding needs
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest, match=f"^audio: .*{problem}"):
            check_sound(content, "audio", 2)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_headers_that_understate_do_not_get_long_sounds_in() -> None:
    content = bytearray(_sound(np.zeros((400_000, 1), np.float32), 48_000, "FLAC"))
    content[18:26] = (int.from_bytes(content[18:26], "big") >> 36 << 36 | 100).to_bytes(8, "big")
    with pytest.raises(InvalidRequest, match="at most 2 s long"):
        check_sound(bytes(content), "audio", 2)
    check_sound(bytes(content), "audio", 10)
