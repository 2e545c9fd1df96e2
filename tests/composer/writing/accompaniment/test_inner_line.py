from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Section
from tunesmith.composer.writing import write_score
from tunesmith.composer.writing.accompaniment.inner_line import has_inner_line
from tunesmith.composer.writing.accompaniment.pad import write_pad
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
PAD = Player("pad", "pad", "strings", "", 58, 0.0, voicing="open")
PIANO = Player("chords", "chords", "piano", "block", 60, 0.0)
# Strokes a second that a player manages.
FASTEST = 13


def test_one_voice_of_a_lone_pad_moves_on_the_beat_within_the_key(make_plan: MakePlan) -> None:
    plan = make_plan(PAD, sections=(Section("A", 0, 8, 0.5),))
    notes = write_pad(plan, PAD)
    short = [note for note in notes if note.length == 1]
    assert len(short) >= 8 * 3
    assert all(note.pitch % 12 in plan.key.pitch_classes for note in notes)
    for note in short:
        others = {n.pitch for n in notes if n is not note and n.start <= note.start < n.end}
        assert all(abs(note.pitch - other) >= 2 for other in others)


def test_where_others_move_the_pad_is_still(make_plan: MakePlan) -> None:
    assert has_inner_line(make_plan(PAD), PAD)
    assert not has_inner_line(make_plan(PAD, PIANO), PAD)
    assert not has_inner_line(make_plan(PAD, replace(PAD, name="pad_2")), replace(PAD, name="pad_2"))


@pytest.mark.parametrize("genre", ["pop", "metal", "salsa", "solo_piano", "trance", "chiptune", "funk", "baroque"])
def test_nobody_has_more_to_play_than_a_player_manages(brief: Callable[..., Brief], genre: str) -> None:
    score = write_score(brief(genre=genre, prompt=genre, tempo_bpm=120.0, duration=30.0)).score
    for part in score.parts:
        if part.role in ("drums", "percussion", "effects"):
            continue
        strokes: list[float] = []
        for note in part.notes:
            at = score.tempo_map.seconds_at(note.start)
            # The strings of one strum are one stroke.
            if not strokes or at - strokes[-1] > 0.05:
                strokes.append(at)
        assert all(later - earlier >= 1.0 for earlier, later in zip(strokes, strokes[FASTEST:], strict=False))
        if part.role == "chords":
            for note in part.notes:
                together = sum(other.start <= note.start < other.end - 0.02 for other in part.notes)
                assert together <= min(instrument(part.instrument).polyphony, 10)
