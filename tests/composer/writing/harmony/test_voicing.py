from __future__ import annotations

import itertools
import typing

import pytest

from tunesmith.composer.genre import Voicing
from tunesmith.composer.theory import CHORD_QUALITIES, Chord
from tunesmith.composer.writing.harmony.voicing import VoiceLeading, voice_chord

VOICINGS = typing.get_args(Voicing)
CIRCLE = [Chord((2 + 5 * i) % 12, quality) for i, quality in enumerate(["m9", "13", "maj9", "m7"] * 3)]


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("quality", sorted(CHORD_QUALITIES))
def test_a_voicing_stays_in_range_and_in_the_chord(voicing: str, quality: str) -> None:
    for root in range(12):
        pitches = voice_chord(Chord(root, quality), voicing, 60, (48, 76), 5)
        assert pitches == tuple(sorted(set(pitches)))
        assert pitches[0] >= 48
        assert pitches[-1] <= 76
        assert len(pitches) <= 5
        if voicing not in ("quartal", "power"):
            assert {pitch % 12 for pitch in pitches} <= set(Chord(root, quality).pitch_classes)


@pytest.mark.parametrize("voicing", ["close", "open", "drop2", "rootless", "pad", "triad"])
def test_voices_move_by_little(voicing: str) -> None:
    previous: tuple[int, ...] = ()
    moves: list[int] = []
    for chord in CIRCLE:
        voiced = voice_chord(chord, voicing, 60, (46, 76), 5, VoiceLeading(previous))
        if previous:
            moves += [min(abs(pitch - old) for old in previous) for pitch in voiced]
            assert abs(voiced[-1] - previous[-1]) <= 5
        previous = voiced
    assert sum(moves) / len(moves) <= 2.0


@pytest.mark.parametrize("quality", ["", "m", "m7", "maj9"])
def test_no_close_thirds_lie_low(quality: str) -> None:
    pitches = voice_chord(Chord(0, quality), "pad", 52, (36, 72), 5)
    assert all(upper - lower >= 5 for lower, upper in itertools.pairwise(pitches) if lower < 48)


def test_two_voices_around_a_sounding_third_keep_it() -> None:
    leading = VoiceLeading(top=62, avoid=(55, 58, 62))
    pitches = voice_chord(Chord(7, "m"), "hands", 48, (40, 66), 3, leading)
    assert 10 in {pitch % 12 for pitch in pitches}
