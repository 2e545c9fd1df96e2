"""Endings: what a player leaves standing on the first beat of the last bar."""

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
LANDING_SLACK = 0.2  # beats by which a player may land early
RELEASE_SECONDS = 0.35  # silence kept before the end, so that what rings dies by itself


def ending_of(plan: Plan) -> str:
    """Return ``ring``, ``hit``, ``soft`` or ``fade``: the brief's wish, or else the genre's habit.

    A sting or bumper has no time to fade, nor does it stop dead: unless asked otherwise its last chord rings.
    """
    habit = plan.genre.ending
    if plan.brief.form in GESTURES and habit in ("hit", "fade"):
        habit = "ring"
    return KINDS.get(plan.brief.ending, habit)


def ended(plan: Plan, player: Player, notes: Iterable[Note], final: Sequence[int]) -> tuple[Note, ...]:
    """Replace what is written in the last bar by ``final`` pitches on its first beat; a loop stays as it is."""
    ordered = sorted(notes, key=lambda note: (note.start, note.pitch))
    if plan.brief.loop or plan.sections[-1].energy < player.entry - 1e-9:
        return tuple(ordered)
    landing = plan.end - plan.beats_per_bar
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
    """Return how long the last chord is held: to the end of its bar, and no later than just before the piece's end."""
    end = plan.tempo_map.seconds_at(plan.end)
    if plan.brief.duration is not None:
        end = min(end, plan.brief.duration)
    return max(0.25, plan.tempo_map.beat_at(end - RELEASE_SECONDS) - landing)


def stopped(plan: Plan, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Cut short what begins with the final hit, so that no line hangs on after the band has stopped."""
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
        else replace(note, velocity=max(12, round(note.velocity * (1 - 0.75 * (note.start - start) / span))))
        for note in notes
    )
