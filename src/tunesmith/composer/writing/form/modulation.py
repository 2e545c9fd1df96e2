"""Modulation: the third idea of a long piece in another key, and the way back home in its last bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import ChordSpan, Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.plan import UNPITCHED, Plan, Player

MODULATING = frozenset({
    "pop", "orchestral", "cinematic", "classical", "kids", "soul", "rock", "latin", "piano", "world", "band", "jazz",
    "folk",
})  # fmt: skip
"""Genre families whose pieces may leave their key; the others live on one key."""
MODULATED = frozenset({"C"})
CHANCE = 0.5
# (weight, semitones): up a tone, a minor third or a fourth, down a minor third.
SHIFTS: tuple[tuple[float, int], ...] = ((2.0, 2), (2.0, 3), (1.5, 5), (1.5, -3))
STILL = frozenset({"static", "drone", "blues"})


def modulation_of(plan: Plan) -> int:
    """Return the semitones by which the third idea of this piece is moved; 0 where it stays in the key."""
    asked = any(reason.field == "key" and reason.source in ("flag", "prompt") for reason in plan.brief.reasons)
    held = any(player.role == "drone" for player in plan.players)
    if asked or held or plan.genre.family not in MODULATING or plan.genre.harmony.style in STILL:
        return 0
    if not chance_of(plan.brief.rng("chords", "modulation"), CHANCE):
        return 0
    weights, shifts = zip(*SHIFTS, strict=True)
    shift: int = plan.brief.choice("chords", "modulation", "key", options=shifts, weights=weights)
    return shift


def modulated(plan: Plan, written: Mapping[str, Sequence[Note]]) -> tuple[Plan, dict[str, tuple[Note, ...]]]:
    """Return plan and notes with the chords and notes of the third idea moved, except those of its last bar."""
    shift = modulation_of(plan)
    spans = [_span(plan, section) for section in plan.sections if section.name in MODULATED and section.bars > 2]
    notes = {name: tuple(line) for name, line in written.items()}
    if not shift or not spans:
        return plan, notes
    chords = tuple(_moved_chord(chord, shift) if _is_within(chord.start, spans) else chord for chord in plan.chords)
    for player in plan.players:
        if player.role not in UNPITCHED:
            notes[player.name] = _moved(player, notes[player.name], spans, shift)
    return replace(plan, chords=chords), notes


def _span(plan: Plan, section: Section) -> tuple[float, float]:
    # The last bar stays at home: its chord leads back.
    return section.bar * plan.beats_per_bar, (section.bar + section.bars - 1) * plan.beats_per_bar


def _is_within(beat: float, spans: Sequence[tuple[float, float]]) -> bool:
    return any(start - 1e-6 <= beat < end - 1e-6 for start, end in spans)


def _moved_chord(span: ChordSpan, shift: int) -> ChordSpan:
    return replace(span, chord=span.chord.moved(shift))


def _moved(player: Player, notes: Sequence[Note], spans: Sequence[tuple[float, float]], shift: int) -> tuple[Note, ...]:
    tool = instrument(player.instrument)
    moved = []
    for note in notes:
        end = next((end for start, end in spans if start - 1e-6 <= note.start < end - 1e-6), None)
        if end is None:
            moved.append(note)
        else:
            # What is held into the bar at home would clash with it.
            length = on_grid(min(note.length, end - note.start))
            moved.append(replace(note, pitch=tool.into_range(note.pitch + shift), length=length))
    return tuple(sorted(moved, key=lambda note: (note.start, note.pitch)))
