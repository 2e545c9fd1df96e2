"""Chord progressions: the chord of each bar, from the genre's progressions, cadences and taste for adventure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tunesmith.composer.rng import chance_of, rng_for, weighted_choice
from tunesmith.composer.score import ChordSpan, Section
from tunesmith.composer.theory import Chord, Key, Meter, on_grid
from tunesmith.composer.writing.harmony.passing_chords import SHARES, with_passing_chords
from tunesmith.composer.writing.harmony.reharmony import colored, reharmonised
from tunesmith.composer.writing.harmony.roman import parse_progression
from tunesmith.composer.writing.harmony.songbook import PHRASE_BARS, Setting, chosen_progressions

Bar = tuple[Chord, ...]

STILL = frozenset({"static", "drone"})
CADENCE_SHARE = 0.6
# Taste for adventure from which a section varies its chords at once, as in jazz.
ADVENTUROUS = 0.45


def write_harmony(setting: Setting, sections: Sequence[Section], seed: int) -> tuple[ChordSpan, ...]:
    """Return chords that cover every bar, each within one bar; a piece that ends does so on the tonic."""
    songbook = _songbook(setting, sections, seed)
    # In the songbook, so that a section that returns has them too.
    share = 0.0 if setting.genre.harmony.style in STILL else SHARES.get(setting.genre.family, 0.0)
    songbook = {name: with_passing_chords(bars, setting.key, share, seed) for name, bars in songbook.items()}
    bars: list[Bar] = []
    for index, section in enumerate(sections):
        repeat = sum(earlier.name == section.name for earlier in sections[:index])
        bars += _section_bars(
            setting, section, songbook[section.name], repeat, rng_for(seed, "section", section.name, repeat)
        )
    if not setting.loop:
        bars = _ended(setting, bars, rng_for(seed, "close"))
    return _spans(bars, setting.meter)


def _songbook(setting: Setting, sections: Sequence[Section], seed: int) -> dict[str, tuple[Bar, ...]]:
    """Choose one progression per section name; a name that recalls another section shares its chords."""
    # The first section of a name counts: those that a longer piece adds must not change it.
    chosen = chosen_progressions(setting, {section.name: section.bars for section in reversed(sections)}, seed)
    # Coloured once per name, so that a section that returns has the same chords.
    return {
        name: tuple(
            tuple(
                # Keyed by the progression: sections that share it share its colours too.
                colored(
                    chord,
                    setting.key,
                    setting.genre.harmony.color,
                    rng_for(seed, "colour", progression.chords, index, place),
                )
                for place, chord in enumerate(bar)
            )
            for index, bar in enumerate(parse_progression(progression.chords, setting.key))
        )
        for name, progression in chosen.items()
    }


def _section_bars(
    setting: Setting, section: Section, pattern: Sequence[Bar], repeat: int, random: np.random.Generator
) -> list[Bar]:
    harmony = setting.genre.harmony
    bars = [pattern[index % len(pattern)] for index in range(section.bars)]
    if harmony.style in STILL:
        return bars
    if harmony.style == "functional" and section.bars >= 4 and section.bars % len(pattern) == 0:
        cadence = _cadence(setting, random)
        if cadence and chance_of(random, CADENCE_SHARE) and _is_tonic(pattern[0][0], setting.key):
            bars[-1] = cadence[-2]
    # The first section of a name stays the plain progression, so that later variation is heard as such.
    if not repeat and harmony.adventure < ADVENTUROUS:
        return bars
    adventure = harmony.adventure * (1.0 if repeat or section.bars > len(pattern) else 0.4)
    # Only the last phrase is varied: the phrases before it repeat.
    kept = max(0 if repeat else min(len(pattern), section.bars // 2), section.bars - PHRASE_BARS)
    return [*bars[:kept], *reharmonised(bars, kept, setting.key, adventure, setting.mood, harmony.style, random)]


def _is_tonic(chord: Chord, key: Key) -> bool:
    return chord.root == key.tonic


def _cadence(setting: Setting, random: np.random.Generator) -> tuple[Bar, ...]:
    """Return a cadence in this mode as bars, the last its resolution; empty where the genre has none that fits."""
    suited = []
    for text in setting.genre.harmony.cadences:
        arrival = text.replace("|", " ").split()[-1]
        # The case of the resolving numeral tells its mode; bare fifths and sus chords fit both.
        if arrival.lstrip("b#")[0].islower() == setting.key.is_minor or arrival.startswith(("I5", "Isus")):
            suited.append(text)
    if not suited:
        return ()
    text = weighted_choice(random, suited)
    # A cadence on one line gets a bar line before its resolution, which must fall on a downbeat.
    if "|" not in text and " " in text.strip():
        lead, _, arrival = text.strip().rpartition(" ")
        text = f"{lead} | {arrival}"
    bars = parse_progression(text, setting.key)
    return bars if len(bars) > 1 and all(bars) else ()


def _ended(setting: Setting, bars: list[Bar], random: np.random.Generator) -> list[Bar]:
    """End the piece on the tonic, with a cadence before the last bar."""
    style = setting.genre.harmony.style
    cadence = _cadence(setting, random)
    if cadence and style != "modal" and style not in STILL:
        size = min(len(cadence), len(bars))
        return [*bars[: len(bars) - size], *cadence[len(cadence) - size : -1], (cadence[-1][-1],)]
    home = next((chord for bar in bars for chord in bar if _is_tonic(chord, setting.key)), None)
    # In root position: an inversion would not sound final.
    return [*bars[:-1], (replace(home, bass=None) if home else Chord(setting.key.tonic, _home(setting.key)),)]


def _home(key: Key) -> str:
    return "m" if key.is_minor else ""


def _spans(bars: Sequence[Bar], meter: Meter) -> tuple[ChordSpan, ...]:
    spans = []
    for index, bar in enumerate(bars):
        start = index * meter.beats_per_bar
        edges = _edges(len(bar), meter)
        for chord, (begin, end) in zip(bar, itertools.pairwise(edges), strict=True):
            spans.append(ChordSpan(on_grid(start + begin), on_grid(end - begin), chord))
    return tuple(spans)


def _edges(count: int, meter: Meter) -> list[float]:
    """Divide a bar between its chords, on felt beats where there are enough of them."""
    pulse = meter.felt_beat
    pulses = round(meter.beats_per_bar / pulse)
    if pulses < count:
        return [meter.beats_per_bar * i / count for i in range(count + 1)]
    return [-(-pulses * i // count) * pulse for i in range(count)] + [meter.beats_per_bar]
