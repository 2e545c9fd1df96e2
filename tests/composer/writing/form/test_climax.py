"""A climax lands: fewer and softer players before it, all of them and the widest register at it, a release after it."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean

import pytest

import tunesmith
from tunesmith.composer.score import Note, Score
from tunesmith.composer.writing.form.climax import peak_bars
from tunesmith.request import Hit

AT = 20.0
PROMPTS = ("upbeat corporate background", "lofi beat", "epic orchestral", "folk acoustic guitar", "techno", "jazz trio")


@pytest.fixture(scope="module", params=PROMPTS)
def score(request: pytest.FixtureRequest) -> Score:
    return tunesmith.compose(request.param, seed=4, duration=45, hits=(Hit(time=AT, climax=True),)).score


def bar_of_the_climax(score: Score) -> int:
    bar = round(score.tempo_map.beat_at(AT) / score.meter.beats_per_bar)
    assert score.tempo_map.seconds_at(bar * score.meter.beats_per_bar) == pytest.approx(AT, abs=1 / 44_100)
    return bar


def between(score: Score, first: int, last: int) -> dict[str, list[Note]]:
    """Return the notes of each part that plays from bar ``first`` to before bar ``last``."""
    beats = score.meter.beats_per_bar
    inside = {p.name: [n for n in p.notes if first * beats <= n.start + 0.25 < last * beats] for p in score.parts}
    return {name: notes for name, notes in inside.items() if notes}


def force(notes: dict[str, list[Note]]) -> float:
    return fmean(note.velocity for part in notes.values() for note in part)


def width(score: Score, notes: dict[str, list[Note]]) -> int:
    pitched = {p.name for p in score.parts if p.role not in ("drums", "percussion", "effects")}
    pitches = [note.pitch for name, part in notes.items() if name in pitched for note in part]
    return max(pitches) - min(pitches)


def test_the_build_is_thinner_and_softer_and_the_peak_is_fullest_and_widest(score: Score) -> None:
    at = bar_of_the_climax(score)
    over = at + peak_bars(score.tempo_map, score.meter.beats_per_bar, at)
    build, peak, after = (between(score, first, first + 4) for first in (at - 4, at, over))
    assert force(build) < 0.8 * force(peak)
    assert force(after) < 0.92 * force(peak)
    # Effects lead to the peak and are silent at it.
    lasting = {part.name for part in score.parts if part.role != "effects"}
    assert lasting <= set(peak)
    assert sum(map(len, build.values())) < sum(map(len, peak.values()))
    assert width(score, peak) >= max(width(score, build), width(score, after)) - 2


def test_the_peak_has_a_section_of_its_own_and_less_follows(score: Score) -> None:
    at = bar_of_the_climax(score)
    index = next(number for number, section in enumerate(score.sections) if section.bar == at)
    assert score.sections[index].energy == 1.0
    assert score.sections[index].bars <= 9
    assert all(section.energy < 0.9 for section in score.sections[:index] + score.sections[index + 1 :])
    assert all(before.bar + before.bars == after.bar for before, after in pairwise(score.sections))


def test_it_is_softer_in_all_so_that_the_peak_has_room() -> None:
    plain = tunesmith.compose("techno", seed=4, duration=45).score
    with_one = tunesmith.compose("techno", seed=4, duration=45, hits=(Hit(time=AT, climax=True),)).score
    asked = tunesmith.compose("techno at -13 LUFS", seed=4, duration=45, hits=(Hit(time=AT, climax=True),)).score
    assert with_one.mix.loudness_lufs == plain.mix.loudness_lufs - 4
    assert asked.mix.loudness_lufs == -13


def test_a_hit_that_is_no_climax_changes_no_cast_and_no_force() -> None:
    hit = tunesmith.compose("lofi", seed=4, duration=30, hits=(Hit(time=12.0),))
    assert hit.score.mix.loudness_lufs == tunesmith.compose("lofi", seed=4, duration=30).score.mix.loudness_lufs
