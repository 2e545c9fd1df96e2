from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_bank as tiny

from tunesmith.audio.buffer import Samples
from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.instruments import Instrument, instrument, instruments
from tunesmith.composer.rng import share
from tunesmith.composer.sound.soundfont.soundfont import SoundFont, built_in_bank
from tunesmith.composer.sound.voice import Tone
from tunesmith.composer.sound.voices import LATEST_LAYER, LayeredVoice, choke_group, voice_for

SAMPLED = [row for row in instruments().values() if row.source == "bank" and not any(each.patch for each in row.layers)]
KITS = [row for row in SAMPLED if row.is_kit]


@pytest.mark.parametrize("player", SAMPLED, ids=lambda player: player.name)
def test_every_sampled_instrument_sounds_cleanly(player: Instrument) -> None:
    voice = voice_for(player, built_in_bank())
    for pitch in [36, 38, 42] if player.is_kit else [player.low, (player.low + player.high) // 2, player.high]:
        sound = voice.sound(Tone(pitch, 100, 0.4))
        assert sound.shape[0] == 2
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        assert 0.01 < np.abs(sound).max() < 3
        assert abs(float(sound.mean())) < 0.004
        assert np.abs(sound[:, -1]).max() < 1e-3


@pytest.mark.parametrize("player", KITS, ids=lambda player: player.name)
def test_every_drum_sounds_in_every_kit(player: Instrument) -> None:
    voice = voice_for(player, built_in_bank())
    for drum, key in DRUM_KEYS.items():
        assert np.abs(voice.sound(Tone(key, 100, 0.2))).max() > 0.005, drum


@pytest.mark.parametrize("name", ["standard_kit", "jazz_kit", "electronic_kit"])
def test_hats_choke_each_other_and_nothing_else(name: str) -> None:
    voice = voice_for(instrument(name), built_in_bank())
    closed, pedal, opened = (choke_group(voice, key) for key in (42, 44, 46))
    assert closed == pedal == opened != 0
    assert [choke_group(voice, key) for key in (36, 38, 49)] == [0, 0, 0]
    assert choke_group(voice_for(instrument("piano"), built_in_bank()), 60) == 0


def test_a_bank_that_lacks_a_program_is_helped_out_and_says_so(tmp_path: Path) -> None:
    font = SoundFont(tiny.write_bank(tmp_path / "mine.sf2", [(54, 1)]))
    warnings: list[str] = []
    helped = voice_for(instrument("flute"), font, warnings).sound(Tone(72, 90, 0.5))
    voice_for(instrument("fm_electric_piano"), font, warnings)
    np.testing.assert_array_equal(helped, voice_for(instrument("flute"), built_in_bank()).sound(Tone(72, 90, 0.5)))
    assert warnings == ["mine.sf2 has no sound for flute: the built-in bank plays it"]


class Click:
    """Sounds one sample, as loud as the first share of its chance."""

    def sound(self, tone: Tone) -> Samples:
        return np.full((2, 1), share(tone.chance, 0), np.float32)


def test_the_players_of_a_section_differ_and_come_in_one_after_the_other() -> None:
    section = LayeredVoice([(Click(), 1.0, 0), (Click(), 1.0, 0)])
    chance = 0x1111_8000_4000_2000
    first, second = np.flatnonzero(section.sound(Tone(60, 90, 1, chance=chance))[0])
    assert first == 0
    assert 0 < second < LATEST_LAYER
    levels = {float(level) for level in section.sound(Tone(60, 90, 1, chance=chance))[0] if level}
    assert len(levels) == 2
