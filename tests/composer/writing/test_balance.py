"""The balance of a score: levels move, and no note does."""

from __future__ import annotations

from statistics import mean

import pytest

from tunesmith.balance import parse_level
from tunesmith.composer.check_request import check_request
from tunesmith.composer.score import Score
from tunesmith.composer.writing import write_score
from tunesmith.request import GenerationRequest


def score(**fields: object) -> Score:
    request = {"prompt": "lofi with piano and drums and rain", "seed": 3, "duration": 20, **fields}
    return write_score(check_request(GenerationRequest.checked(**request))).score


PLAIN = score()


def notes(piece: Score) -> list[tuple[float, float, int]]:
    return [(note.start, note.length, note.pitch) for part in piece.parts for note in part.notes]


def test_a_level_moves_the_gain_of_its_part_alone() -> None:
    changed = score(balance=("drums=3", "rain=-2"))
    moved = {one.role: now.gain_db - one.gain_db for one, now in zip(PLAIN.parts, changed.parts, strict=True)}
    # A shaker is a drum too; the others stay.
    assert {role for role, gain in moved.items() if gain} <= {"drums", "percussion"}
    assert moved["drums"] == pytest.approx(3)
    assert [one.gain_db for one in changed.ambience if one.name == "rain"] == [-2]
    assert notes(changed) == notes(PLAIN)


def test_a_player_s_louder_half_is_played_harder_by_as_much() -> None:
    changed = score(balance=("drums=6@50-100",))
    middle = round(PLAIN.bars / 2) * PLAIN.meter.beats_per_bar
    assert notes(changed) == notes(PLAIN)
    ratios: dict[bool, list[float]] = {False: [], True: []}
    for before, after in zip(PLAIN.parts, changed.parts, strict=True):
        if before.role not in ("drums", "percussion"):
            assert after.notes == before.notes
            continue
        for old, new in zip(before.notes, after.notes, strict=True):
            if old.velocity > 20 and new.velocity < 127:
                ratios[old.start >= middle].append(new.velocity / old.velocity)
    assert (mean(ratios[True]) / mean(ratios[False])) == pytest.approx(10 ** (6 / 40), rel=0.02)


def test_a_louder_half_of_everybody_is_the_master_s_and_moves_no_note() -> None:
    changed = score(balance=("all=6@50-100", "all=-2"))
    assert [part.notes for part in changed.parts] == [part.notes for part in PLAIN.parts]
    assert changed.mix.levels == ("6@50-100",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("drums", "must be NAME=DB"),
        ("drums=30", "must be -12 to 12 dB, got 30"),
        ("drums=3@80-20", "from 0 to 100 percent"),
        ("drums=nan", "must be NAME=DB"),
    ],
)
def test_a_level_that_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_level(text)


@pytest.mark.parametrize(("intro", "least", "most"), [("none", 0, 0), ("short", 0, 1), ("long", 3, 8)])
def test_an_intro_is_left_out_or_shorter_or_longer(intro: str, least: int, most: int) -> None:
    bars = {section.name: section.bars for section in score(intro=intro, duration=60).sections}
    assert least <= bars.get("intro", 0) <= most
