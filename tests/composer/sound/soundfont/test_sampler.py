from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import tiny_bank as tiny

from tunesmith.composer.instruments import Timbre, instrument
from tunesmith.composer.render.note_chance import note_chances
from tunesmith.composer.score import Note
from tunesmith.composer.sound.soundfont.envelope import VolumeEnvelope
from tunesmith.composer.sound.soundfont.sampler import SampledVoice
from tunesmith.composer.sound.soundfont.soundfont import PITCHED_BYTES, SoundFont, built_in_bank
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone
from tunesmith.composer.sound.voices import voice_for


def _voice(tmp_path: Path, zone: list[tuple[int, int]], timbre: Timbre | None = None) -> SampledVoice:
    return SampledVoice(SoundFont(tiny.write_bank(tmp_path / "tiny.sf2", zone)), 0, 5, timbre)


def _hertz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


@pytest.mark.parametrize("pitch", [33, 57, 69, 70, 81, 100])
def test_a_sample_is_shifted_to_the_pitch(tmp_path: Path, pitch: int) -> None:
    sound = _voice(tmp_path, [(54, 1)]).sound(Tone(pitch, 127, 2.0))[0, 4_000:80_000]
    cents = 1200 * np.log2(tiny.frequency(sound, _hertz(pitch)) / _hertz(pitch))
    assert abs(cents) < 0.6


def test_tuning_generators_move_the_pitch(tmp_path: Path) -> None:
    sound = _voice(tmp_path, [(54, 1), (51, 2), (52, -20), (56, 50)]).sound(Tone(73, 127, 2.0))[0, 4_000:80_000]
    expected = _hertz(69 + 2 + 1.8)
    assert abs(1200 * np.log2(tiny.frequency(sound, expected) / expected)) < 0.6


@pytest.mark.parametrize(
    "name", ["piano", "violin", "flute", "trumpet", "nylon_guitar", "finger_bass", "vibraphone", "organ", "clarinet"]
)
def test_instruments_are_in_tune(name: str) -> None:
    player = instrument(name)
    voice = voice_for(player, built_in_bank())
    middle = (player.low + player.high) // 2
    deviations = []
    for pitch in (middle - 7, middle, middle + 6):
        sound = voice.sound(Tone(pitch, 90, 1.0)).sum(axis=0)[4_000:40_000]
        deviations.append(1200 * np.log2(tiny.frequency(sound, _hertz(pitch)) / _hertz(pitch)))
    assert abs(float(np.median(deviations))) < 5
    assert max(map(abs, deviations)) < 15


def test_a_loop_goes_on_without_a_seam(tmp_path: Path) -> None:
    sound = _voice(tmp_path, [(54, 1)]).sound(Tone(69, 127, 3.0))[0, 2_000 : 3 * SAMPLE_RATE]
    steepest = 2 * np.pi * 440 / SAMPLE_RATE * np.abs(sound).max()
    assert np.abs(np.diff(sound)).max() < 1.02 * steepest
    assert np.abs(sound[-2_000:]).max() == pytest.approx(np.abs(sound[:2_000]).max(), rel=0.01)


def test_without_a_loop_the_sample_ends(tmp_path: Path) -> None:
    sound = _voice(tmp_path, []).sound(Tone(69, 127, 3.0))
    assert abs(sound.shape[1] - len(tiny.sine()) * tiny.SINE_HZ / 440) < 10
    assert sound[0, -1] == 0


def test_loop_mode_three_plays_on_past_the_loop_when_let_go(tmp_path: Path) -> None:
    release_of_two_seconds = (38, 1200)
    looping = _voice(tmp_path, [(54, 1), release_of_two_seconds]).sound(Tone(69, 127, 1.0))
    leaving = _voice(tmp_path, [(54, 3), release_of_two_seconds]).sound(Tone(69, 127, 1.0))
    assert SAMPLE_RATE < leaving.shape[1] < looping.shape[1]


def test_gain_is_the_square_of_velocity(tmp_path: Path) -> None:
    voice = _voice(tmp_path, [(54, 1)])
    loud, soft = (np.abs(voice.sound(Tone(69, velocity, 0.5))).max() for velocity in (127, 64))
    assert soft / loud == pytest.approx((64 / 127) ** 2, rel=0.02)


def test_pan_and_attenuation_follow_the_standard(tmp_path: Path) -> None:
    left = _voice(tmp_path, [(54, 1), (17, -500), (48, 250)]).sound(Tone(69, 127, 0.5))
    middle = _voice(tmp_path, [(54, 1)]).sound(Tone(69, 127, 0.5))
    assert np.abs(left[1]).max() < 1e-6
    ratio = np.abs(left[0]).max() / np.abs(middle[0]).max()
    assert 20 * np.log10(ratio) == pytest.approx(3.01 - 0.4 * 25, abs=0.1)


def test_an_envelope_takes_its_times_and_ends_in_silence() -> None:
    curve = VolumeEnvelope(delay=0.1, attack=0.2, hold=0.1, decay=1.0, sustain_db=20, release=1.0).curve(1.0)
    at = [float(curve[round(seconds * SAMPLE_RATE)]) for seconds in (0.05, 0.2, 0.35, 0.5, 0.9)]
    assert at == pytest.approx([0, 0.5, 1, 10**-0.5, 0.1], abs=0.01)
    assert curve[-1] == 0
    assert np.all(np.diff(curve[SAMPLE_RATE:]) <= 1e-6)


def test_a_note_cut_in_its_attack_falls_from_where_it_was() -> None:
    curve = VolumeEnvelope(delay=0, attack=1.0, hold=0, decay=0, sustain_db=0, release=0.5).curve(0.3)
    assert curve.max() == pytest.approx(0.3, abs=0.001)
    assert np.abs(np.diff(curve)).max() < 0.01


def test_a_glide_arrives_at_the_pitch_from_where_it_starts(tmp_path: Path) -> None:
    voice = _voice(tmp_path, [(54, 1)])
    sound = voice.sound(Tone(69, 127, 1.0, glide=-12))[0]
    assert tiny.frequency(sound[100:900], 230) == pytest.approx(225, abs=12)
    assert tiny.frequency(sound[8_000:40_000], 440) == pytest.approx(440, rel=0.0005)


def test_vibrato_sways_held_notes_only(tmp_path: Path) -> None:
    swaying = _voice(tmp_path, [(54, 1)], Timbre(vibrato_cents=10))
    plain = _voice(tmp_path, [(54, 1)])
    np.testing.assert_array_equal(swaying.sound(Tone(69, 100, 0.3)), plain.sound(Tone(69, 100, 0.3)))
    long, steady = swaying.sound(Tone(69, 100, 2.0))[0], plain.sound(Tone(69, 100, 2.0))[0]
    assert np.abs(long[:80_000] - steady[:80_000]).max() > 0.01


def test_the_same_tone_gives_the_same_bytes_in_any_order() -> None:
    tones = [Tone(60, 80, 0.4), Tone(60, 81, 3.0, variation=1), Tone(67, 80, 1.0, glide=2), Tone(60, 110, 0.1)]
    path = built_in_bank().path
    for program in (0, 40, 48):
        forward, backward = SampledVoice(SoundFont(path), 0, program), SampledVoice(SoundFont(path), 0, program)
        first = [forward.sound(tone).tobytes() for tone in tones]
        again = [backward.sound(tone).tobytes() for tone in reversed(tones)]
        assert first == again[::-1]
        assert first == [forward.sound(tone).tobytes() for tone in tones]


@pytest.mark.parametrize(("name", "pitch"), [("standard_kit", 42), ("piano", 60), ("violin", 70)])
def test_repeated_notes_differ_a_little_and_the_same_chance_is_the_same_note(name: str, pitch: int) -> None:
    voice = voice_for(instrument(name), built_in_bank())
    chances = note_chances(1, name, [Note(beat, 1, pitch, 90) for beat in range(8)]).tolist()
    sounds = [voice.sound(Tone(pitch, 90, 0.3, chance=chance)) for chance in chances]
    assert voice.sound(Tone(pitch, 90, 0.3, chance=chances[3])).tobytes() == sounds[3].tobytes()
    for one, other in itertools.pairwise(sounds):
        shared = min(one.shape[1], other.shape[1])
        assert 0 < np.abs(one[:, :shared] - other[:, :shared]).max() < 2 * np.abs(one).max()


def test_another_sample_of_the_bank_plays_at_the_same_pitch_and_about_as_loud() -> None:
    voice = voice_for(instrument("piano"), built_in_bank())
    # The third share of 16 bits decides: the lowest plays the neighbour, the highest the zone's own sample.
    other, own = (voice.sound(Tone(62, 90, 1.0, chance=third << 32)) for third in (1, 0xFFFF))
    assert np.abs(other[0, :20_000] - own[0, :20_000]).max() > 0.1 * np.abs(own).max()
    for sound in (other, own):
        heard = sound[0, 4_000:40_000]
        assert abs(1200 * np.log2(tiny.frequency(heard, _hertz(62)) / _hertz(62))) < 8
    assert np.std(other[0, :20_000]) == pytest.approx(np.std(own[0, :20_000]), rel=0.5)


def test_remembered_waveforms_stay_within_their_bytes() -> None:
    font = SoundFont(built_in_bank().path)
    font.pitched.limit = 3_000_000
    voice = SampledVoice(font, 0, 48)
    for pitch in range(48, 72):
        voice.sound(Tone(pitch, 90, 1.0))
        assert font.pitched.size <= font.pitched.limit < PITCHED_BYTES
