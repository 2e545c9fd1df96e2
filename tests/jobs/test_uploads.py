"""Recordings that requests bring along: kept whole, under their digest, or not at all."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import wav_bytes

from tunesmith.composer.score_file import dump_score
from tunesmith.composer.score_of_request import score_of
from tunesmith.errors import InvalidRequest
from tunesmith.jobs import uploads as module
from tunesmith.jobs.uploads import UploadStore
from tunesmith.request import GenerationRequest


@pytest.fixture
def inputs(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "inputs")


def sound(kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(48_000), 48_000, format=kind)
    return file.getvalue()


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "inputs").iterdir() if path.name != ".lock"]


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_a_recording_is_kept_as_it_came_under_its_digest(inputs: UploadStore, tmp_path: Path, kind: str) -> None:
    content = sound(kind)
    path = inputs.keep(content, "audio")
    assert path == tmp_path / "inputs" / hashlib.sha256(content).hexdigest()
    assert path.read_bytes() == content
    assert kept(tmp_path) == [path]


def test_the_same_recording_is_kept_once_however_many_bring_it(inputs: UploadStore, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as callers:
        paths = set(callers.map(lambda _: inputs.keep(wav_bytes(), "audio"), range(16)))
    assert kept(tmp_path) == list(paths)


@pytest.mark.parametrize("field", ["audio", "melody", "input_audio"])
@pytest.mark.parametrize("content", [
    b"", b"nonsense", wav_bytes()[:40], b"<html></html>", b"#!/bin/sh\n", b"RIFF\xff\xff\xff\xffWAVEfmt ",
])  # fmt: skip
def test_what_is_no_sound_is_refused_by_its_field_and_not_kept(
    inputs: UploadStore, tmp_path: Path, content: bytes, field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        inputs.keep(content, field)
    assert caught.value.field == field
    assert kept(tmp_path) == []


def test_a_sound_of_no_length_is_refused(inputs: UploadStore) -> None:
    with pytest.raises(InvalidRequest, match="audio: contains no audio"):
        inputs.keep(wav_bytes(0), "audio")


def test_a_recording_that_is_too_long_is_refused(inputs: UploadStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_AUDIO_SECONDS", 1.5)
    inputs.keep(wav_bytes(1), "audio")
    with pytest.raises(InvalidRequest, match=r"audio: must be at most 1\.5 s long"):
        inputs.keep(wav_bytes(2), "audio")


def test_a_score_is_kept_as_a_score_and_nothing_else_is(inputs: UploadStore) -> None:
    store = inputs
    document = dump_score(score_of(GenerationRequest.checked(prompt="calm piano", duration=2, seed=1))).encode()
    assert store.keep(document, "score").read_bytes() == document
    for content, problem in [
        (b"key: H minor", "score: "),
        (b"MThd broken", "score: "),
        (b"x: " + b"a" * 2_000_000, "score: must be at most"),
    ]:
        with pytest.raises(InvalidRequest, match=problem):
            store.keep(content, "score")
    with pytest.raises(InvalidRequest, match="audio: "):
        store.keep(document, "audio")
