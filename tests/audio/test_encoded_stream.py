"""Laws of sounds that are encoded while they are made: nothing is lost, and players read them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio import Audio
from tunesmith.audio.buffer import Samples
from tunesmith.audio.encoded_stream import encoded_bytes, encoded_stream
from tunesmith.audio.pcm_g711 import RawCoding, raw_chunks, raw_live_chunks
from tunesmith.audio.writer import write_audio

RATE, SECONDS = 44_100, 3


@pytest.fixture(scope="module")
def tone() -> Audio:
    time = np.arange(RATE * SECONDS) / RATE
    waves = np.stack((np.sin(440 * 2 * np.pi * time), np.sin(660 * 2 * np.pi * time))) / 4
    return Audio(waves.astype(np.float32), RATE)


def encoded(tone: Audio, suffix: str) -> bytes:
    return b"".join(encoded_stream(tone.blocks(5_000), suffix, RATE, 2, tone.num_samples))


def decoded(content: bytes) -> Samples:
    blocks = []
    with soundfile.SoundFile(io.BytesIO(content)) as sound:
        # In blocks: a header without a length would have soundfile allocate the largest one.
        while len(block := sound.read(4096, "float32", always_2d=True)):
            blocks.append(block)
    return np.concatenate(blocks).T


def test_wav_samples_are_those_of_the_file_and_the_length_is_known(tone: Audio, tmp_path: Path) -> None:
    content = encoded(tone, ".wav")
    assert len(content) == encoded_bytes(".wav", 2, tone.num_samples)
    written, _ = soundfile.read(write_audio(tone, tmp_path / "tone.wav"), dtype="int16")
    streamed, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    assert rate == RATE
    # Dither is drawn by block, so only the last steps may differ.
    assert np.abs(streamed.astype(int) - written).max() <= 3


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".opus"])
def test_other_formats_decode_to_the_whole_sound(tone: Audio, suffix: str) -> None:
    sound = decoded(encoded(tone, suffix))
    rate = 48_000 if suffix == ".opus" else RATE
    # An MP3 has its encoder's delay at the start, and whole frames.
    assert 0 <= sound.shape[1] - SECONDS * rate <= (4_000 if suffix == ".mp3" else 0)
    middle = sound[:, rate : 2 * rate]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".opus"])
def test_bytes_come_before_the_last_block(tone: Audio, suffix: str) -> None:
    taken = 0

    def blocks() -> Iterator[Samples]:
        nonlocal taken
        for block in tone.blocks(8_192):
            taken += 1
            yield block

    stream = encoded_stream(blocks(), suffix, RATE, 2, tone.num_samples)
    sizes = [len(next(stream)) for _ in range(2)]
    assert taken < 12
    assert min(sizes) > 0


@pytest.mark.parametrize("coding", ["pcm", "ulaw"])
@pytest.mark.parametrize("size", [7, 1_001, 1 << 20])
def test_raw_samples_of_a_wav_in_any_chunks_are_those_of_the_file(
    tone: Audio, tmp_path: Path, coding: RawCoding, size: int
) -> None:
    short = Audio(tone.samples[:, :1_000], RATE, {"title": "tags that follow the samples"})
    path = write_audio(short, tmp_path / "short.wav")
    content = path.read_bytes()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    async def raw() -> bytes:
        return b"".join([chunk async for chunk in raw_live_chunks(chunks(), coding)])

    assert asyncio.run(raw()) == b"".join(raw_chunks(path, coding))
