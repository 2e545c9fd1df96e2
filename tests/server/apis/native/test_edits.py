"""Edits of sounds over HTTP, a track's file in other formats and intensities, stems of the finished mix, unloading."""

from __future__ import annotations

import io
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from live_server import served
from small_disk import small_disk

from tunesmith.audio.buffer import Samples
from tunesmith.audio.markers import markers_of
from tunesmith.audio.reader import read_audio
from tunesmith.composer.score_file import load_score
from tunesmith.config import Settings
from tunesmith.server.app import create_app


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    with served(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def track(server: httpx.Client) -> str:
    body = {"prompt": "lofi hip hop", "duration": 4, "seed": 5}
    server.post("/api/generate", json=body).raise_for_status()
    return str(server.get("/api/tracks").json()["tracks"][0]["id"])


def sound(content: bytes) -> Samples:
    samples, _ = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    return np.asarray(samples.T)


Source = tuple[str | None, str | bytes]


def edited(server: httpx.Client, sources: list[Source], **fields: str) -> httpx.Response:
    given: list[tuple[str, Source]] = [(name, (None, value)) for name, value in fields.items()]
    return server.post("/api/edits", files=[*given, *(("source", source) for source in sources)])


def test_stems_of_the_finished_mix_sum_to_it(server: httpx.Client, track: str) -> None:
    mix = sound(server.get(f"/api/tracks/{track}/audio").content)
    answer = server.get(f"/api/tracks/{track}/stems?mastered=true").raise_for_status()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        total = sum(sound(archive.read(name)) for name in archive.namelist())
    # The mix has 16 bits with dither.
    assert np.abs(total - mix).max() < 4 / 2**15


def test_a_track_s_file_is_had_in_another_format_and_at_another_intensity(server: httpx.Client, track: str) -> None:
    flac = server.get(f"/api/tracks/{track}/audio?format=flac").raise_for_status()
    own = sound(server.get(f"/api/tracks/{track}/audio").content)
    np.testing.assert_array_equal(sound(flac.content), own)
    calm = sound(server.get(f"/api/tracks/{track}/audio?intensity=0").raise_for_status().content)
    assert calm.shape == own.shape
    assert not np.array_equal(calm, own)
    assert len(server.get("/api/tracks").json()["tracks"]) == 1


def test_a_track_s_score_is_a_document_that_renders(server: httpx.Client, track: str) -> None:
    answer = server.get(f"/api/tracks/{track}/score.yaml").raise_for_status()
    assert answer.headers["content-type"].startswith("application/yaml")
    assert load_score(answer.text).duration == 4


def test_a_format_that_there_is_not_is_refused(server: httpx.Client, track: str) -> None:
    assert "must be one of wav" in server.get(f"/api/tracks/{track}/audio?format=mid").text


def test_a_track_and_a_file_are_edited_and_joined(server: httpx.Client, track: str) -> None:
    file = server.get(f"/api/tracks/{track}/audio").content
    by_id: Source = (None, track)
    by_file: Source = ("dropped.wav", file)
    fitted = edited(server, [by_file], edit="fit", duration="0:03").raise_for_status()
    assert sound(fitted.content).shape[1] == 3 * 44_100
    joined = edited(server, [by_id, by_file], edit="stitch", crossfade="1", format="flac").raise_for_status()
    assert sound(joined.content).shape[1] / 44_100 == pytest.approx(7, abs=0.5)
    # An edit is no piece of the prompt log.
    assert len(server.get("/api/tracks").json()["tracks"]) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"edit": "wash"}, "edit: must be one of"),
        ({"edit": "fit"}, "duration: is needed"),
        ({"edit": "loop", "duration": "3"}, "duration: is not for loop"),
        ({"edit": "convert", "format": "exe"}, "format: must be one of"),
        ({"edit": "stitch"}, "source: must be two or more"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(server: httpx.Client, track: str, fields: dict[str, str], said: str) -> None:
    answer = edited(server, [(None, track)], **fields)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


def bounce() -> bytes:
    """Return half a second of 5.1 in 24 bits as a workstation writes it: with tags, and a loop of its second half."""
    file = io.BytesIO()
    steps = np.random.default_rng(1).integers(-(1 << 22), 1 << 22, (24_000, 6), np.int32) << 8
    with soundfile.SoundFile(file, "w", 48_000, 6, "PCM_24", format="WAVEX") as writer:
        writer.title, writer.artist = "Bounce", "Ann"
        writer.write(steps)
    loop = struct.pack("<9I", 0, 0, 20_833, 60, 0, 0, 0, 1, 0) + struct.pack("<6I", 0, 0, 12_000, 23_999, 0, 0)
    content = file.getvalue() + b"smpl" + struct.pack("<I", len(loop)) + loop
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_a_bounce_keeps_its_bits_speakers_tags_and_loop(server: httpx.Client, tmp_path: Path, form: str) -> None:
    source, result = tmp_path / "mix.wav", tmp_path / f"mix.{form}"
    source.write_bytes(bounce())
    result.write_bytes(edited(server, [("mix.wav", bounce())], edit="convert", format=form).raise_for_status().content)
    before, after = read_audio(source), read_audio(result)
    assert soundfile.info(result).subtype == "PCM_24"
    np.testing.assert_array_equal(after.samples, before.samples)
    assert after.sample_format.channel_mask == before.sample_format.channel_mask
    assert after.metadata["tags"].items() >= {"title": ["Bounce"], "artist": ["Ann"]}.items()
    loops = [markers_of(one.metadata, 48_000).loops for one in (before, after)]
    assert loops[0] == loops[1]
    assert (loops[1][0].start, loops[1][0].length) == (12_000, 12_000)


def silence(frames: int, channels: int = 1, rate: int = 1_000, container: str = "FLAC") -> bytes:
    """Return a sound that takes few bytes for its length."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros((frames, channels), np.int16), rate, format=container)
    return file.getvalue()


@pytest.mark.parametrize(
    ("sounds", "said"),
    [
        ([b"no sound"], "source: is not a readable audio file"),
        ([silence(1_801_000)], "source: must be at most 1800 s long"),
        ([silence(901_000), silence(901_000)], "source: must be at most 1800 s in all, got 1802 s"),
        ([silence(1_740, rate=1, container="WAV")], "source: must have a sample rate of 1000 to 192000 Hz, got 1"),
        ([silence(8, 1_024, container="WAV")], "source: must have at most 8 channels, got 1024"),
    ],
)
def test_what_is_no_sound_or_unfolds_is_refused_before_the_command_runs(
    server: httpx.Client, sounds: list[bytes], said: str
) -> None:
    edit = "stitch" if len(sounds) > 1 else "convert"
    answer = edited(server, [("x.wav", one) for one in sounds], edit=edit)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(said)
    assert answer.json()["error"]["field"] == "source"


def test_what_the_command_refuses_is_told_without_a_path(server: httpx.Client, track: str) -> None:
    for fields in ({"edit": "trim", "start": "9"}, {"edit": "loop", "bars": "200"}):
        answer = edited(server, [(None, track)], **fields)
        assert answer.status_code == 422
        assert "/" not in answer.json()["error"]["message"]


def test_a_full_disk_is_told_as_such_and_nothing_is_left(
    server: httpx.Client, track: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded = silence(400_000, container="WAV")
    with small_disk(tmp_path / "disk", 500) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
        for source in ((None, track), ("a.wav", uploaded)):
            answer = edited(server, [source], edit="convert")
            assert (answer.status_code, answer.json()["error"]["type"]) == (507, "DiskFull")
            assert str(disk.folder) not in answer.text
            assert disk.files("") == []


def test_an_idle_model_is_unloaded(server: httpx.Client, track: str) -> None:
    assert track
    assert [one["name"] for one in server.get("/api/ps").json()["models"]] == ["composer"]
    assert server.delete("/api/ps/composer").status_code == 204
    assert server.get("/api/ps").json()["models"] == []
