"""Ritardando: the last bar before the final chord slows down, where players would do so; the length stays exact."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.score import TempoMap
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.form.endings import KINDS
from tunesmith.composer.writing.form.tempo import FormTimeline

SLOWING = frozenset({"classical", "orchestral", "cinematic", "folk", "piano", "jazz", "world", "kids", "ambient"})
"""Genre families whose endings slow down; the others keep their beat to the end."""
ENDINGS = frozenset({"ring", "soft"})
# A driving piece does not slow down. Arousal, −1 to 1.
CALMER_THAN = 0.5
# In bars; a shorter piece has no time to slow down.
SHORTEST_PIECE = 12
# The tempo at the start and at the end of the bar, as shares of the tempo before.
FIRST, LAST = 0.95, 0.76
# How much of a bar the final chord must still have.
LEAST_RING = 0.6


def with_ritardando(timeline: FormTimeline, brief: Brief, genre: Genre) -> FormTimeline:
    """Return the timeline with a slower last bar before the final one; the final chord rings for what is left."""
    bars, bar = timeline.bars, brief.meter.beats_per_bar
    slows = (
        genre.family in SLOWING
        and brief.mood.arousal < CALMER_THAN
        and KINDS.get(brief.ending, genre.ending) in ENDINGS
    )
    # A loop has no end, and hits fix the time of every bar.
    if not slows or brief.form != "track" or timeline.hits or bars < SHORTEST_PIECE:
        return timeline
    start = (bars - 2) * bar
    steady = timeline.tempo_map.changes[-1][1]
    pulses = max(2, round(bar / brief.meter.felt_beat))
    slower = tuple(
        (on_grid(start + bar * pulse / pulses), steady * (FIRST + (LAST - FIRST) * pulse / (pulses - 1)))
        for pulse in range(pulses)
    )
    tempo_map = TempoMap((*timeline.tempo_map.changes, *slower))
    ring = timeline.duration - tempo_map.seconds_at(start + bar)
    return replace(timeline, tempo_map=tempo_map) if ring >= LEAST_RING * bar * 60 / steady else timeline
