"""Another seed is another piece: in its melody, its groove, its band and its form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import combinations

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import load_genre
from tunesmith.composer.score import Score
from tunesmith.composer.theory import Key
from tunesmith.composer.writing import write_score

Maker = Callable[..., Brief]
SEEDS = range(6)
# (bar, sixteenth, pitch class above the tonic)
Tune = frozenset[tuple[int, int, int]]


def pieces(brief: Maker, genre: str) -> list[Score]:
    tempo = load_genre(genre).tempo
    wishes = {"genre": genre, "tempo_bpm": tempo.typical, "tempo_range": (tempo.low, tempo.high), "duration": 40.0}
    return [write_score(brief(**wishes, seed=seed, key=Key(0, "major"))).score for seed in SEEDS]


def tune_of(score: Score, role: str) -> Tune:
    bars: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part in score.parts:
        if part.name == role:
            for note in part.notes:
                bars[int(note.start // 4)].append((round(note.start % 4 * 4), note.pitch % 12))
    return frozenset((bar, place, pitch) for bar, notes in bars.items() for place, pitch in notes)


def likeness(one: Tune, other: Tune) -> float:
    return len(one & other) / max(1, len(one | other))


@pytest.mark.parametrize("genre", ["pop", "folk", "house"])
def test_seeds_differ_in_melody_groove_band_and_form(brief: Maker, genre: str) -> None:
    written = pieces(brief, genre)
    tunes = [tune for score in written if (tune := tune_of(score, "melody"))]
    assert len(tunes) >= 4
    assert max(likeness(one, other) for one, other in combinations(tunes, 2)) <= 0.35
    grooves = {tune_of(score, "drums") for score in written}
    bands = {frozenset(part.instrument for part in score.parts) for score in written}
    forms = {tuple((section.name, section.bars) for section in score.sections) for score in written}
    assert len(grooves) >= len(SEEDS) / 2
    assert len(bands) >= len(SEEDS) / 2
    assert len(forms) >= 3
