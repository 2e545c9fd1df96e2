"""The lead has a hook: its rhythm returns in the next bars, its notes after four, and its pulse is clear."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from seeded_plans import seeded

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import MelodyTaste, load_genre
from tunesmith.composer.score import Note, Section
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.form.sections import build_sections
from tunesmith.composer.writing.form.tempo import solve_timeline
from tunesmith.composer.writing.harmony.progressions import write_harmony
from tunesmith.composer.writing.harmony.songbook import Setting
from tunesmith.composer.writing.melody.lead import write_melody
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
LEAD = Player("melody", "melody", "piano", "", 76, 0.0)
PLAIN = MelodyTaste(density=1.2, leap=0.3, syncopation=0.2, ornament=0.0, motif_bars=2, rest=0.2)
FOUR_CHORDS = "C G Am F"
GENRES = ("folk", "pop", "corporate", "rock", "country", "fantasy", "medieval", "waltz", "gospel", "bossa_nova", "soul",
          "synthwave", "march", "kids", "classical", "lofi")  # fmt: skip
# The mean recurrence of one take of each genre differs by .03 from seed to seed.
TAKES = 4

Bars = dict[int, tuple[tuple[float, int], ...]]


def bars_of(notes: tuple[Note, ...], beats: float) -> Bars:
    bars: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for note in notes:
        bar, place = divmod(round(note.start, 3), beats)
        bars[int(bar)].append((place, note.pitch))
    return {bar: tuple(sung) for bar, sung in bars.items()}


def rhythm(bar: tuple[tuple[float, int], ...]) -> tuple[float, ...]:
    return tuple(place for place, _ in bar)


def overlap(one: tuple[tuple[float, int], ...], other: tuple[tuple[float, int], ...]) -> float:
    return len({*one} & {*other}) / len({*one, *other})


@pytest.mark.parametrize("motif_bars", [1, 2])
def test_a_phrase_repeats_the_one_before_with_another_ending(make_plan: MakePlan, motif_bars: int) -> None:
    taste = PLAIN.model_copy(update={"motif_bars": motif_bars})
    plan = make_plan(LEAD, melody=taste, chords=FOUR_CHORDS, sections=(Section("A", 0, 8, 0.5),), form="loop")
    periods = []
    for seed in range(16):
        bars = bars_of(write_melody(seeded(plan, seed), LEAD), 4)
        periods.append(bars[0] == bars[4] and (bars.get(3) != bars.get(7)))
    assert np.mean(periods) >= 0.75


def test_a_bar_that_returns_over_the_same_chords_has_the_same_notes(make_plan: MakePlan) -> None:
    sections = (Section("A", 0, 8, 0.4), Section("B", 8, 8, 0.8), Section("A", 16, 8, 0.6))
    plan = make_plan(LEAD, melody=PLAIN, chords=FOUR_CHORDS, sections=sections, form="loop")
    for seed in range(8):
        bars = bars_of(write_melody(seeded(plan, seed), LEAD), 4)
        assert bars[0] == bars[16]


def norms_of(genre: str, meter: str, take: int, brief: Callable[..., Brief]) -> tuple[float, ...]:
    """Return the entropy and the commonest share of the times between notes, and what the next and fourth bar keep."""
    entry = load_genre(genre)
    tempo = entry.tempo.typical
    asked = brief(
        genre=genre,
        seed=take * len(GENRES) + GENRES.index(genre),
        duration=60.0,
        tempo_bpm=tempo,
        tempo_range=(tempo, tempo),
        meter=Meter.parse(meter),
    )
    timeline = solve_timeline(asked)
    sections = build_sections(asked, entry, timeline)
    chords = write_harmony(Setting(entry, asked.key, asked.meter, asked.mood, loop=False), sections, 1)
    plan = Plan(asked, entry, asked.key, asked.meter, timeline.tempo_map, sections, chords, (LEAD,))
    notes = write_melody(plan, LEAD)
    bars = bars_of(notes, plan.beats_per_bar)
    times = Counter(round(b.start - a.start, 3) for a, b in pairwise(notes) if b.start - a.start <= 4)
    share = np.array(list(times.values())) / times.total()
    kept = [rhythm(bars[bar]) == rhythm(bars[bar - 1]) for bar in bars if bar - 1 in bars]
    recurring = [overlap(bars[bar], bars[bar - 4]) for bar in bars if bar - 4 in bars]
    return float(-(share * np.log2(share)).sum()), float(share.max()), float(np.mean(kept)), float(np.mean(recurring))


def test_the_rhythm_and_recurrence_of_leads_lie_within_the_norms_of_tunes(brief: Callable[..., Brief]) -> None:
    entropy, commonest, kept, recurring = np.mean(
        [
            norms_of(genre, "3/4" if genre == "waltz" else "4/4", take, brief)
            for take, genre in itertools.product(range(TAKES), GENRES)
        ],
        axis=0,
    )
    # Folk songs, fiddle tunes and chorales have .6 to 1.4 bits, .58 to .88 and .11 to .28.
    assert entropy <= 1.8
    assert commonest >= 0.45
    assert kept >= 0.10
    assert recurring >= 0.35
