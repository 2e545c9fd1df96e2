"""Walking bass: a note on every felt beat, from root to root by chord tones and approach notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import ChordSpan, Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.bass_patterns import TOUCH
from tunesmith.composer.writing.accompaniment.bassist import Bassist
from tunesmith.composer.writing.step_patterns import CYCLE_BARS

VELOCITY, SKIPPED_VELOCITY = 88, 58
# Section energy from which the last beat may be skipped.
SKIP_FROM = 0.6
SKIP_SHARE = 0.25


def walk(bassist: Bassist, section: Section, bar: int) -> list[Note]:
    """Write a bar: the root on a new chord, chord tones between, an approach note before the next root.

    The same chords in the same bar of a cycle of four give the same notes, in each section of that name.
    """
    plan = bassist.plan
    random = plan.brief.rng("groove", "walk", bassist.player.name, section.name, (bar - section.bar) % CYCLE_BARS)
    start = bar * plan.beats_per_bar
    pulse = plan.meter.felt_beat if plan.meter.felt_beat >= 1 else 1.0
    notes: list[Note] = []
    beat = start
    while beat < start + plan.beats_per_bar - 1e-6:
        span = plan.chord_at(beat)
        previous = notes[-1].pitch if notes else bassist.root(span)
        pitch = _walked(bassist, span, beat, previous, random)
        length = min(pulse, start + plan.beats_per_bar - beat)
        notes.append(Note(on_grid(beat), on_grid(length * TOUCH["walking"]), pitch, VELOCITY))
        beat += pulse
    # A skipped note before the last beat.
    if section.energy > SKIP_FROM and chance_of(random, SKIP_SHARE):
        last = notes[-1]
        notes[-1] = replace(last, length=on_grid(last.length * 0.6))
        notes.append(Note(on_grid(last.start + pulse * 2 / 3), on_grid(pulse * 0.28), last.pitch, SKIPPED_VELOCITY))
    return notes


def _walked(bassist: Bassist, span: ChordSpan, beat: float, previous: int, random: np.random.Generator) -> int:
    if abs(beat - span.start) < 1e-6:
        return bassist.root(span)
    ending = span.end
    target = bassist.root(bassist.plan.chord_at(ending))
    pulse = bassist.plan.meter.felt_beat
    if ending - beat <= max(pulse, 1.0) + 1e-6:
        return bassist.approach(previous, target)
    tones = [bassist.near(tone, previous + (3 if target >= previous else -3)) for tone in span.chord.pitch_classes]
    # A repeated note would stop the walk.
    options = [tone for tone in tones if tone != previous] or tones
    return options[int(random.integers(len(options)))]
