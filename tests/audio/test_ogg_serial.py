"""Ogg files of the same sound are the same bytes, and their pages stay valid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio import Audio
from tunesmith.audio.ogg_serial import HEADER, checksum


def tone(seconds: float = 2.0) -> Audio:
    times = np.arange(round(48_000 * seconds)) / 48_000
    wave = (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    return Audio(np.stack([wave, wave]), 48_000, {"title": "A", "seed": 1})


@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_the_same_sound_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    first, second = (tone().save(tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")
    assert first == second


@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_a_renumbered_file_still_decodes_to_its_full_length(tmp_path: Path, suffix: str) -> None:
    path = tone().save(tmp_path / f"a{suffix}")
    samples, rate = soundfile.read(path)
    assert samples.shape == (round(2.0 * rate), 2)
    assert np.abs(samples).max() > 0.2


def test_the_checksum_agrees_with_a_slow_one(tmp_path: Path) -> None:
    page = bytearray(tone().save(tmp_path / "a.ogg").read_bytes()[: HEADER + 1 + 30])
    # Bytes 22 to 25 of a page hold its checksum (RFC 3533).
    stated, page[22:26] = page[22:26], bytes(4)
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x04C11DB7 if register & 0x80000000 else 0)
            register &= 0xFFFFFFFF
    assert checksum(page) == register
    assert int.from_bytes(stated, "little") == register
