from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import load_genre
from tunesmith.composer.score import Section
from tunesmith.composer.writing.form.sections import build_sections
from tunesmith.composer.writing.form.tempo import solve_timeline

Maker = Callable[..., Brief]
GENRES = ("lofi", "pop", "folk", "rock", "house", "cinematic", "jazz", "march", "celtic", "epic_orchestral")


def form_of(brief: Maker, genre: str, seed: int, duration: float, **changes: object) -> tuple[Section, ...]:
    tempo = load_genre(genre).tempo
    asked = brief(
        genre=genre,
        seed=seed,
        duration=duration,
        tempo_bpm=tempo.typical,
        tempo_range=(tempo.low, tempo.high),
        **changes,
    )
    return build_sections(asked, load_genre(genre), solve_timeline(asked))


@pytest.mark.parametrize("genre", GENRES)
def test_ten_seeds_have_at_least_three_forms(brief: Maker, genre: str) -> None:
    forms = {tuple((s.name, s.bars) for s in form_of(brief, genre, seed, 60.0)) for seed in range(10)}
    assert len(forms) >= 3


@pytest.mark.parametrize("genre", GENRES)
def test_beyond_ninety_seconds_there_is_a_third_idea(brief: Maker, genre: str) -> None:
    long = [{s.name for s in form_of(brief, genre, seed, 180.0)} for seed in range(10)]
    assert all({"C", "D", "bridge"} & names for names in long)
    assert sum("C" in names for names in long) >= 6


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("duration", [60.0, 180.0, 600.0])
def test_the_last_strong_section_is_the_climax_and_lies_in_the_second_half(
    brief: Maker, genre: str, duration: float
) -> None:
    for seed in range(6):
        sections = form_of(brief, genre, seed, duration)
        strong = [s for s in sections if s.name in ("B", "drop")]
        if len(sections) < 5 or not strong:
            continue
        body = [s for s in sections if s.name not in ("intro", "outro", "ending")]
        assert strong[-1].energy == max(s.energy for s in body)
        assert strong[-1].bar + strong[-1].bars > sections[-1].bar / 2


@pytest.mark.parametrize("duration", [45.0, 90.0, 200.0])
def test_sections_are_whole_phrases_between_intro_and_closing(brief: Maker, duration: float) -> None:
    for genre in GENRES:
        sections = form_of(brief, genre, 1, duration)
        inner = [s.bars for s in sections if s.name not in ("intro", "outro", "ending")]
        assert all(bars % 4 == 0 for bars in inner) or sections[-1].bar < 14


@pytest.mark.parametrize("duration", [40.0, 60.0, 120.0, 300.0])
def test_a_blues_has_choruses_of_twelve_bars(brief: Maker, duration: float) -> None:
    for seed in range(6):
        sections = form_of(brief, "blues", seed, duration)
        assert all(s.bars == 12 for s in sections if s.name in ("A", "B"))


def test_ten_minutes_are_varied_and_every_build_up_leads_to_a_strong_section(brief: Maker) -> None:
    for genre in GENRES:
        names = [s.name for s in form_of(brief, genre, 2, 600.0)]
        assert all(after in ("B", "drop") for name, after in pairwise(names) if name == "build")
        assert not any(a == b == c for a, b, c in zip(names, names[1:], names[2:], strict=False))
        assert len({*names}) >= 5
