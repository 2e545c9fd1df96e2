"""Timing: how far each note is from its written time, by slow drift, small random offsets and the genre's feel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.score import Note
from tunesmith.composer.writing.plan import Plan, Player

TIGHTNESS: Mapping[str, float] = {
    "bass": 0.4, "drums": 0.45, "percussion": 0.7, "drone": 0.0, "pad": 0.6, "effects": 0.0, "arpeggio": 0.5,
}  # fmt: skip
"""Role → share of the genre's timing spread; other roles have all of it."""
LAID_BACK: Mapping[str, float] = {"melody": 0.8, "counter": 0.5, "chords": 0.3, "bass": 0.3}
# How far, in spreads, players sit before or behind the others throughout: no two people place a beat alike.
PERSONAL = 0.5
LAID_BACK_DRUMS = frozenset(DRUM_KEYS[name] for name in ("snare", "clap", "rim", "snap"))
KICK_TIGHTNESS = 0.4
# How much of the drift carries over from one note to the next.
DRIFT_KEEPS = 0.9
# Section starts and hit points stay this close.
SEAM_SECONDS = 0.008
# In spreads.
WIDEST = 2.5


def offsets(plan: Plan, player: Player, notes: Sequence[Note]) -> npt.NDArray[np.float64]:
    """Return the lateness of each note in seconds, (notes,), negative for early ones.

    Notes that start together move together.
    """
    feel = plan.genre.feel
    spread = feel.timing_ms / 1000 * TIGHTNESS.get(player.role, 1.0)
    drums = player.role in ("drums", "percussion")
    personal = float(plan.brief.rng("performance", "place in time", player.name).uniform(-PERSONAL, PERSONAL))
    moves = _moves(plan, player, notes, spread, personal)
    # Snares and leads behind the beat make a groove relaxed; the kick holds the time.
    late = np.array([_lateness(player, note, drums=drums) for note in notes]) * feel.laid_back_ms / 1000
    kicks = np.array([drums and note.pitch == DRUM_KEYS["kick"] for note in notes])
    moves = np.where(kicks, moves * KICK_TIGHTNESS, moves) + late
    seams = _seams(plan)
    on_seam = np.array([round(note.start, 3) in seams for note in notes])
    return np.where(on_seam, np.clip(moves, -SEAM_SECONDS, SEAM_SECONDS), moves)


def _moves(
    plan: Plan, player: Player, notes: Sequence[Note], spread: float, personal: float
) -> npt.NDArray[np.float64]:
    """Return the personal place plus a slow drift and an offset per moment, each of about half the spread, (notes,)."""
    if spread == 0 or not notes:
        return np.zeros(len(notes))
    draws = plan.section_draws(player, "timing")
    moves = np.zeros(len(notes))
    drift = slip = 0.0
    # Keeps the variance of the drift constant: a² + (1 − a²) = 1.
    keep = float(np.sqrt(1 - DRIFT_KEEPS**2))
    playing: np.random.Generator | None = None
    for index, note in enumerate(notes):
        if index == 0 or note.start != notes[index - 1].start:
            random = draws(note.start)
            # A section begins without the drift of the one before it.
            drift, playing = 0.0 if random is not playing else drift, random
            drift = DRIFT_KEEPS * drift + keep * float(random.standard_normal())
            slip = float(random.standard_normal())
        moves[index] = 0.7 * drift + 0.7 * slip
    return np.clip(moves + personal, -WIDEST, WIDEST) * spread


def _lateness(player: Player, note: Note, *, drums: bool) -> float:
    if drums:
        return 1.0 if note.pitch in LAID_BACK_DRUMS else 0.0
    return LAID_BACK.get(player.role, 0.0)


def _seams(plan: Plan) -> frozenset[float]:
    """Return the beats that must not move: section starts, the last bar, and the hit points."""
    beats = [section.bar * plan.beats_per_bar for section in plan.sections]
    hits = [plan.tempo_map.beat_at(hit.time) for hit in plan.brief.hits]
    return frozenset(round(beat, 3) for beat in (*beats, plan.end - plan.beats_per_bar, *map(_nearest_tick, hits)))


def _nearest_tick(beat: float) -> float:
    return round(beat * 4) / 4
