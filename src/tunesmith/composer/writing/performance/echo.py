"""Echo: the repeats of a tape delay, written as softer notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunesmith.composer.genre import Echo
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.performance.overlaps import without_overlaps
from tunesmith.composer.writing.plan import Plan, Player

# Softer repeats would cost time and not be heard.
SOFTEST = 8
# Two notes of one pitch closer than this are one stroke.
NEAREST_BEATS = 0.125
# A single voice would cut its own notes with their repeats.
FEWEST_VOICES = 3


def echoed(plan: Plan, player: Player, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Return the played notes with their repeats, sorted; those of a loop run on at its start.

    An instrument of fewer than three voices has no echo.
    """
    if player.echo is None or instrument(player.instrument).polyphony < FEWEST_VOICES:
        return tuple(notes)
    taken = {(note.pitch, _place(note) + near) for note in notes for near in (-1, 0, 1)}
    sounding = list(notes)
    for note in notes:
        for repeat in _repeats(plan, note, player.echo):
            place = (repeat.pitch, _place(repeat))
            # A repeat gives way to a note of its own pitch, and to a repeat that is already there.
            if place not in taken:
                taken.add(place)
                sounding.append(repeat)
    return without_overlaps(sounding)


def _place(note: Note) -> int:
    return round(note.start / NEAREST_BEATS)


def _repeats(plan: Plan, note: Note, echo: Echo) -> Iterator[Note]:
    for count in range(1, echo.repeats + 1):
        start, velocity = note.start + count * echo.beats, round(note.velocity * echo.decay**count)
        if velocity < SOFTEST or (start >= plan.end and not plan.brief.loop):
            return
        start = on_grid(start % plan.end)
        length = min(note.length, echo.beats, plan.end - start)
        if length > 0:
            yield replace(note, start=start, length=on_grid(length), velocity=velocity)
