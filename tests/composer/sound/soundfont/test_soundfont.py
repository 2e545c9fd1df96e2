from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import tiny_bank as tiny
from machine_speed import slowness

from tunesmith.composer.sound.lru_cache import ByteCache
from tunesmith.composer.sound.soundfont.generators import Gen
from tunesmith.composer.sound.soundfont.sampler import SampledVoice
from tunesmith.composer.sound.soundfont.soundfont import SoundFont, built_in_bank, open_bank
from tunesmith.composer.sound.voice import Tone
from tunesmith.errors import SoundFontError


@pytest.mark.parametrize("compressed", [False, True])
def test_samples_come_back_as_they_were_written(tmp_path: Path, compressed: bool) -> None:
    font = SoundFont(tiny.write_bank(tmp_path / "tiny.sf", [(54, 1)], compressed=compressed))
    sample, waveform = font.sample(0), font.waveform(0)
    assert len(waveform) == len(tiny.sine())
    assert (sample.rate, sample.key, sample.loop_start, sample.loop_end) == (44_100, 69, *tiny.LOOP)
    assert np.abs(waveform - tiny.sine()).max() < (0.02 if compressed else 1e-4)


def test_an_odd_chunk_may_lack_its_pad_byte(tmp_path: Path) -> None:
    for zone in ([(54, 1)], [(54, 0), (48, 10)]):
        font = SoundFont(tiny.write_bank(tmp_path / "odd.sf3", zone, compressed=True, pad=False))
        assert font.presets == [(0, 5)]


def test_a_zone_starts_from_its_global_zone(tmp_path: Path) -> None:
    font = SoundFont(tiny.write_bank(tmp_path / "g.sf2", [(48, 30)], global_zone=[(48, 90), (9, 40)]))
    (region,) = font.regions(0, 5)
    assert region.generators[Gen.ATTENUATION] == 30
    assert region.generators[Gen.RESONANCE] == 40


def test_a_decoded_beginning_equals_the_whole() -> None:
    font = built_in_bank()
    index = font.regions(0, 0)[0].generators[Gen.SAMPLE]
    beginning = font.waveform(index, 40_000)
    assert 40_000 <= len(beginning) < len(font.waveform(index))
    np.testing.assert_array_equal(beginning, font.waveform(index)[: len(beginning)])


def test_a_broken_bank_is_named_in_one_line(tmp_path: Path) -> None:
    whole = tiny.write_bank(tmp_path / "whole.sf2", [(54, 1)]).read_bytes()
    wrong = {
        "foreign.sf2": b"\x89PNG and more", "empty.sf2": b"", "cut.sf2": whole[: len(whole) // 2],
        "tail.sf2": whole[:-30], "renamed.sf2": whole.replace(b"igen", b"xxxx"),
        "index.sf2": whole.replace(b"\x35\x00\x00\x00", b"\x35\x00\x09\x00"),
    }  # fmt: skip
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SoundFontError, match=name) as caught:
            SoundFont(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(SoundFontError, match="missing"):
        open_bank(tmp_path / "missing.sf2")


@pytest.mark.parametrize("length", range(0, 800, 37))
def test_no_cut_makes_anything_but_a_bank_error(tmp_path: Path, length: int) -> None:
    whole = tiny.write_bank(tmp_path / "whole.sf2", [(54, 1)]).read_bytes()
    (tmp_path / "cut.sf2").write_bytes(whole[: len(whole) - 1 - length])
    with pytest.raises(SoundFontError):
        SoundFont(tmp_path / "cut.sf2")


def test_a_broken_stream_is_a_bank_error(tmp_path: Path) -> None:
    path = tiny.write_bank(tmp_path / "noise.sf3", [(54, 1)], compressed=True)
    path.write_bytes(path.read_bytes().replace(b"OggS", b"NggS"))
    with pytest.raises(SoundFontError, match="cannot be decoded"):
        SoundFont(path).waveform(0)


@pytest.mark.parametrize("compressed", [False, True])
def test_whatever_bytes_are_flipped_it_is_a_bank_error_or_a_bounded_sound(tmp_path: Path, compressed: bool) -> None:
    zone = [(54, 1), (51, 90), (8, 9000), (34, -2000)]
    whole = tiny.write_bank(tmp_path / "whole.sf", zone, compressed=compressed).read_bytes()
    for seed in range(60):
        random = np.random.default_rng(seed)
        broken = bytearray(whole)
        first = len(whole) - 450 if seed % 2 else 0  # the tables lie at the end
        for place in random.integers(first, len(whole), 3).tolist():
            broken[place] = int(random.choice([0, 127, 128, 255]))
        (tmp_path / "broken.sf").write_bytes(broken)
        try:
            font = SoundFont(tmp_path / "broken.sf")
            voices = [SampledVoice(font, *place) for place in font.presets]
            sounds = [voice.sound(Tone(69, 90, 0.2)) for voice in voices]
        except SoundFontError:
            continue
        assert all(np.isfinite(sound).all() for sound in sounds)
        assert all(sound.shape[1] < 20 * tiny.RATE for sound in sounds)


def test_an_absurd_tuning_cannot_fill_the_memory(tmp_path: Path) -> None:
    for coarse in (32_000, -32_000):
        font = SoundFont(tiny.write_bank(tmp_path / "tuned.sf2", [(54, 1), (51, coarse)]))
        sound = SampledVoice(font, 0, 5).sound(Tone(69, 90, 1.0))
        assert np.isfinite(sound).all()
        assert sound.shape[1] < 20 * tiny.RATE


def test_a_missing_program_is_a_bank_error(tmp_path: Path) -> None:
    with pytest.raises(SoundFontError, match="no program 6"):
        SoundFont(tiny.write_bank(tmp_path / "tiny.sf2", [])).regions(0, 6)


def test_the_built_in_bank_opens_at_once() -> None:
    path = built_in_bank().path
    assert path.stat().st_size <= 25_000_000
    started = time.process_time()
    SoundFont(path)
    assert time.process_time() - started < 0.05 * slowness()


def test_a_cache_stays_within_its_bytes_and_forgets_the_oldest() -> None:
    cache = ByteCache(1000)
    for number in range(20):
        cache.get(number, lambda: np.zeros(60, np.float32))
        assert cache.size <= 1000
    made: list[int] = []

    def make() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        made.append(1)
        return np.zeros(60, np.float32)

    cache.get(19, make)
    cache.get(0, make)
    assert len(made) == 1
    cache.get("large", lambda: np.zeros(900, np.float32))
    assert cache.size <= 1000
