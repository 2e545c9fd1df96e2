"""Endings: what each player does on the first beat of the last bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.plan import Plan, Player

KINDS: Mapping[str, str] = {"big": "ring", "soft": "soft", "fade": "fade"}
HIT_BEATS = 1.0
GESTURES = frozenset({"sting", "bumper"})
LANDING_VELOCITY: Mapping[str, int] = {"ring": 96, "hit": 110, "soft": 58, "fade": 60}
BIG_VELOCITY = 116
FADE_BARS = 8
# Beats by which a player may land early.
LANDING_SLACK = 0.2
# Silence before the end, so that ringing notes decay by themselves.
RELEASE_SECONDS = 0.35


def ending_of(plan: Plan) -> str:
    """Return ``ring``, ``hit``, ``soft`` or ``fade``: the brief's ending, or the genre's own.

    A sting or bumper is too short to fade and must not stop dead: without an explicit ending its last chord rings.
    """
    habit = plan.genre.ending
    if plan.brief.form in GESTURES and habit in ("hit", "fade"):
        habit = "ring"
    return KINDS.get(plan.brief.ending, habit)


def ended(plan: Plan, player: Player, notes: Iterable[Note], final: Sequence[int]) -> tuple[Note, ...]:
    """Replace the notes of the last bar by ``final`` pitches on its first beat; a loop stays unchanged."""
    ordered = sorted(notes, key=lambda note: (note.start, note.pitch))
    # A player that rests in the last section does not come back for the final chord.
    if plan.brief.loop or not plan.is_playing(player, plan.bars - 1):
        return tuple(ordered)
    landing = plan.end - plan.beats_per_bar
    # Notes held across the bar line stop there, or they would blur the final chord.
    kept = [
        replace(note, length=on_grid(min(note.length, landing - note.start)))
        for note in ordered
        if note.start < landing - 1e-6
    ]
    kind = ending_of(plan)
    velocity = BIG_VELOCITY if plan.brief.ending == "big" else LANDING_VELOCITY[kind]
    length = on_grid(HIT_BEATS if kind == "hit" else _ring_beats(plan, landing))
    return (*kept, *(Note(on_grid(landing), length, pitch, velocity) for pitch in sorted(set(final))))


def _ring_beats(plan: Plan, landing: float) -> float:
    """Return how long the last chord is held, in beats: to the end of its bar, but not beyond the end of the piece."""
    end = plan.tempo_map.seconds_at(plan.end)
    if plan.brief.duration is not None:
        end = min(end, plan.brief.duration)
    return max(0.25, plan.tempo_map.beat_at(end - RELEASE_SECONDS) - landing)


def stopped(plan: Plan, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Shorten the notes that begin with the final hit, so that no line continues after the band has stopped."""
    landing = plan.end - plan.beats_per_bar - LANDING_SLACK
    return tuple(replace(note, length=min(note.length, HIT_BEATS)) if note.start >= landing else note for note in notes)


def faded(plan: Plan, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Lower the velocities over the last bars where the piece fades out."""
    bars = min(FADE_BARS, max(1, plan.bars // 3))
    start = plan.end - bars * plan.beats_per_bar
    span = plan.end - start
    return tuple(
        note
        if note.start <= start
        # Softer notes also sound darker, which a gain fade alone would not give.
        else replace(note, velocity=max(12, round(note.velocity * (1 - 0.75 * (note.start - start) / span))))
        for note in notes
    )
