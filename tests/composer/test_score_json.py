"""A score as JSON has the notes of the score in seconds, and a figure of its melody."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tunesmith.composer.composition import compose
from tunesmith.composer.score import Score
from tunesmith.composer.score_json import FIGURE_NOTES, FIGURE_STEPS, melody_figure, score_json
from tunesmith.composer.theory import Chord
from tunesmith.request import GenerationRequest

REQUESTS = {
    "loop": {"prompt": "lofi in F minor", "loop": True, "bars": 8},
    "hits": {"prompt": "rock", "hits": [{"time": 7.1}, {"time": 15.5, "climax": True}], "duration": 25},
    "compound": {"prompt": "irish jig", "meter": "6/8", "duration": 20},
}


@pytest.fixture(scope="module", params=REQUESTS)
def score(request: pytest.FixtureRequest) -> Score:
    return compose(GenerationRequest.checked(seed=4, **REQUESTS[request.param])).score


def test_every_note_is_there_in_seconds(score: Score) -> None:
    found = json.loads(json.dumps(score_json(score)))
    assert [(one["name"], len(one["notes"])) for one in found["parts"]] == [
        (part.name, len(part.notes)) for part in score.parts
    ]
    for part, shown in zip(score.parts, found["parts"], strict=True):
        for note, (start, length, pitch, velocity) in zip(part.notes, shown["notes"], strict=True):
            assert (pitch, velocity) == (note.pitch, note.velocity)
            assert start == pytest.approx(score.tempo_map.seconds_at(note.start), abs=1e-4)
            assert start + length == pytest.approx(score.tempo_map.seconds_at(note.end), abs=2e-4)
            assert start + length <= score.duration + 1e-3


def test_sections_chords_and_bars_cover_the_piece_in_order(score: Score) -> None:
    found = score_json(score)
    assert len(found["bar_starts"]) == found["bars"] == score.bars
    for rows in (found["sections"], found["chords"]):
        assert rows[0]["start"] == 0
        assert all(one["end"] == pytest.approx(after["start"], abs=1e-3) for one, after in pairwise(rows))
    assert [Chord.parse(one["name"]) for one in found["chords"]] == [one.chord for one in score.chords]


def test_the_figure_is_the_melody_small(score: Score) -> None:
    figure = melody_figure(score)
    lead = next(part for part in score.parts if part.role == "melody")
    assert 0 < len(figure) <= FIGURE_NOTES
    assert {pitch for *_, pitch in figure} <= {note.pitch for note in lead.notes}
    starts = [start for start, *_ in figure]
    assert starts == sorted(starts)
    assert all(0 <= start < FIGURE_STEPS and length >= 1 for start, length, _ in figure)
