"""What stays of a piece when one thing changes: the laws of docs/composer.md."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.composer.composition import compose
from tunesmith.composer.score import Note, Part, Score
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest

GENRES = ("pop", "folk", "house", "lofi", "jazz_trio", "cinematic", "waltz", "funk", "chiptune")
UNPITCHED = ("drums", "percussion", "effects")
PIECES = st.tuples(st.sampled_from(GENRES), st.integers(0, 10_000))
Piece = tuple[str, int]
few = settings(max_examples=2, deadline=None, derandomize=True)


# Kept, because every law starts from the piece as it was.
@lru_cache(maxsize=64)
def score_of(piece: Piece, **changes: Any) -> Score:
    genre, seed = piece
    wishes = {"prompt": "music", "genre": genre, "seed": seed, "bars": 9, **changes}
    return compose(GenerationRequest.checked(**wishes)).score


def places(part: Part) -> list[tuple[float, int]]:
    return [(note.start, note.pitch) for note in part.notes]


def parts_of(score: Score) -> dict[str, Part]:
    return {part.name: part for part in score.parts}


@few
@given(PIECES, st.floats(0.7, 1.4))
def test_another_tempo_keeps_every_pitch_and_beat(piece: Piece, faster: float) -> None:
    before = score_of(piece)
    after = score_of(piece, tempo_bpm=round(before.tempo_bpm * faster))
    assert [(part.name, part.instrument, places(part)) for part in after.parts] == [
        (part.name, part.instrument, places(part)) for part in before.parts
    ]
    assert after.chords == before.chords


@few
@given(PIECES, st.sampled_from([20.0, 30.0]), st.floats(1.1, 2.5))
def test_a_longer_piece_begins_with_the_same_sections(piece: Piece, seconds: float, longer: float) -> None:
    one, other = (score_of(piece, bars=None, duration=round(length)) for length in (seconds, seconds * longer))
    first = [next(s for s in score.sections if s.name != "intro") for score in (one, other)]
    assert first[0].name == first[1].name
    shorter = min(section.bars for section in first) * one.meter.beats_per_bar
    # The last bar leads into what follows.
    until = shorter - one.meter.beats_per_bar
    starts = [section.bar * one.meter.beats_per_bar for section in first]
    chords = [
        [(c.start - start, c.chord) for c in score.chords if start <= c.start < start + until]
        for score, start in zip((one, other), starts, strict=True)
    ]
    assert chords[0] == chords[1]


@few
@given(PIECES, st.integers(0, 11))
def test_another_key_is_a_transposition(piece: Piece, tonic: int) -> None:
    before = score_of(piece)
    key = replace(before.key, tonic=tonic)
    after, shift = score_of(piece, key=str(key)), tonic - before.key.tonic
    assert after.key == key
    assert [span.chord for span in after.chords] == [span.chord.moved(shift) for span in before.chords]
    for part in before.parts:
        moved = parts_of(after)[part.name]
        if part.role in UNPITCHED:
            assert moved.notes == part.notes
        else:
            classes = {(note.start, (note.pitch + shift) % 12) for note in part.notes}
            assert {(note.start, note.pitch % 12) for note in moved.notes} == classes


def test_a_key_by_request_moves_a_piece_whose_prompt_names_another_one() -> None:
    before = score_of(("folk", 3), prompt="a song in D minor")
    after = score_of(("folk", 3), prompt="a song in D minor", key="E minor")
    assert [span.chord for span in after.chords] == [span.chord.moved(2) for span in before.chords]


@few
@given(PIECES, st.data())
def test_what_is_left_out_changes_no_other_part(piece: Piece, data: st.DataObject) -> None:
    before = score_of(piece)
    gone = data.draw(st.sampled_from([part.instrument for part in before.parts]))
    kept = [part for part in before.parts if part.instrument != gone]
    if "piano" in gone or not kept:
        # "Piano" stands for every piano.
        return
    after = parts_of(score_of(piece, without=(gone,)))
    assert set(after) == {part.name for part in kept}
    for part in kept:
        assert set(part.notes) <= set(after[part.name].notes)


def test_nothing_can_be_left_out_that_leaves_nobody() -> None:
    with pytest.raises(InvalidRequest, match="without"):
        score_of(("solo_piano", 1), without=("piano", "keys"))


@few
@given(PIECES, st.sampled_from(["violin", "flute", "harp", "congas", "choir"]))
def test_a_guest_joins_and_nobody_plays_differently(piece: Piece, name: str) -> None:
    before, after = score_of(piece), score_of(piece, instruments=(f"+{name}",))
    assert after.parts[: len(before.parts)] == before.parts
    assert len(after.parts) == len(before.parts) + 1


@few
@given(PIECES, st.sampled_from(["happy", "sad", "calm", "energetic", "0.5 -0.5"]))
def test_another_mood_keeps_genre_and_hook(piece: Piece, mood: str) -> None:
    before, after = score_of(piece), score_of(piece, mood=mood)
    assert after.genre == before.genre
    if before.key == after.key and before.chords == after.chords:
        one, other = (parts_of(score).get("melody") for score in (before, after))
        if one is not None and other is not None and one.instrument == other.instrument:
            assert len(set(rhythm(one.notes)) & set(rhythm(other.notes))) >= 0.6 * len(set(rhythm(one.notes)))


def rhythm(notes: tuple[Note, ...]) -> list[int]:
    return [round(note.start * 4) for note in notes]


@few
@given(PIECES, st.floats(-30, -10))
def test_a_wish_for_the_mix_changes_no_note(piece: Piece, lufs: float) -> None:
    assert score_of(piece, loudness_lufs=lufs).parts == score_of(piece).parts


@few
@given(PIECES)
def test_a_take_with_locks_shares_what_they_name(piece: Piece) -> None:
    before = score_of(piece)
    kept = GenerationRequest.checked(prompt="music", genre=piece[0], seed=piece[1]).keeping(
        ("melody", "chords", "band", "form", "tempo")
    )
    after = score_of(piece, seed=piece[1] + 1, lock=kept.lock)
    assert after.chords == before.chords
    # The gain of a section is the mix's, which follows the groove.
    assert [replace(one, gain_db=0.0) for one in after.sections] == [
        replace(one, gain_db=0.0) for one in before.sections
    ]
    assert [part.instrument for part in after.parts] == [part.instrument for part in before.parts]
    assert after.key == before.key
    hooks = [
        [note.pitch for note in parts_of(score)["melody"].notes]
        for score in (before, after)
        if "melody" in parts_of(score)
    ]
    assert all(hook == hooks[0] for hook in hooks)
    drums = [places(parts_of(score)["drums"]) for score in (before, after) if "drums" in parts_of(score)]
    assert len(drums) < 2 or drums[0] != drums[1]
