"""Pads: held chords an octave away from the other chords, whose voices move one at a time."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.chords import write_chords
from tunesmith.composer.writing.accompaniment.inner_line import has_inner_line, inner_line, moving_voice
from tunesmith.composer.writing.accompaniment.voiced_harmony import VoicedSpan, voiced_harmony
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.harmony.voicing import LEFT_HAND
from tunesmith.composer.writing.plan import Plan, Player

# Bars that one note is held before it is struck again.
LONGEST = 2
# Semitones from the register to where a pad may lie, below first.
PLACES = (-12, 8, 12)
# Semitones that a pad above the chords stays below the lead's register.
UNDER_LEAD = 7
# Semitones by which the register of other chords must differ to leave the pad where it is.
APART = 10
# Below this share of the other chords' notes in the register of a tenor, the pad most likely fills it.
TENOR_SHARE, FILLING_WEIGHT = 0.05, 4.0
LOWEST, HIGHEST = 52, 70
# Below C3, an interval of less than so many semitones with the bass is mud, if it sounds for so many felt beats.
CLEAR_FROM, CLOSE, CLOSE_BEATS = 48, 5, 0.5
DARK = frozenset({"dark_pad", "choir", "choir_pad", "french_horn", "trombone", "slow_strings"})
BRIGHT = frozenset({"glass_pad", "sweep_pad", "voice_oohs", "string_pad", "strings"})


def write_pad(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Hold each chord, moving single voices; a player with a rhythm or a style plays that instead."""
    if player.rhythm or player.style not in ("", "block"):
        return tuple(_clear_of_bass(plan, write_chords(plan, player)))
    harmony = voiced_harmony(plan, _placed(plan, player))
    lined = has_inner_line(plan, player)
    share = float(plan.brief.rng("groove", "inner line", player.name).random())
    notes: list[Note] = []
    for section in plan.active_sections(player):
        velocity = round(58 + 26 * section.energy)
        spans = list(harmony.between(*plan.span_of(section)))
        if lined:
            notes += inner_line(plan, spans, section.energy, velocity, share)
            spans = [replace(span, pitches=tuple(p for p in span.pitches if p != moving_voice(span))) for span in spans]
        notes += _tied(spans, LONGEST * plan.beats_per_bar, velocity)
    return tuple(_clear_of_bass(plan, ended(plan, player, notes, harmony.final)))


def _clear_of_bass(plan: Plan, notes: Sequence[Note]) -> list[Note]:
    """Move low notes that lie close to the bass up an octave, or leave them out where that one sounds already."""
    basses = sorted(
        (note for player in plan.players if player.role == "bass" for note in plan.written.get(player.name, ())),
        key=lambda note: note.start,
    )
    # Only those that start within the longest one's reach can sound together with a note.
    starts = [note.start for note in basses]
    longest = max((note.length for note in basses), default=0.0)

    def is_mud(note: Note) -> bool:
        first, last = bisect.bisect_left(starts, note.start - longest), bisect.bisect_left(starts, note.end)
        close = (bass for bass in basses[first:last] if 0 < abs(note.pitch - bass.pitch) < CLOSE)
        together = sum(max(0.0, min(note.end, bass.end) - max(note.start, bass.start)) for bass in close)
        return together >= plan.meter.felt_beat * CLOSE_BEATS - 1e-6

    clear = [
        replace(note, pitch=note.pitch + 12) if note.pitch < CLEAR_FROM and is_mud(note) else note for note in notes
    ]
    # An octave up, the voice may already be there.
    return list({(note.start, note.pitch): note for note in clear}.values())


def _placed(plan: Plan, player: Player) -> Player:
    """Return the player an octave above or below where other chords lie, if those lie close."""
    others = _first_harmony(plan, player)
    if not others:
        return player
    centre = sum(others) / len(others)
    if abs(centre - player.register) >= APART:
        return player
    tool = instrument(player.instrument)
    leads = [other.register for other in plan.players if other.role == "melody"]
    ceiling = min(tool.high - 7, min(leads, default=127) - UNDER_LEAD)
    places = [place for place in PLACES if tool.low + 5 <= _register(player, place)]
    places = [place for place in places if place < 0 or _register(player, place) <= ceiling]
    if not places:
        return player
    tenors = sum(LEFT_HAND[0] <= pitch <= LEFT_HAND[1] for pitch in others) / len(others)
    lacking = FILLING_WEIGHT if tenors < TENOR_SHARE else 1.0
    weights = [(lacking if place < 0 else 1.0) * (3.0 if player.instrument in (DARK if place < 0 else BRIGHT) else 1.0)
               for place in places]  # fmt: skip
    place = plan.brief.choice("chords", "pad place", player.name, options=places, weights=weights)
    # Where nobody plays a tenor, the pad does: the root and two voices well above it.
    voicing = "hands" if place < 0 and lacking > 1 and tool.low <= LEFT_HAND[0] else player.voicing
    return replace(player, register=_register(player, place), voicing=voicing)


def _first_harmony(plan: Plan, player: Player) -> list[int]:
    """Return the pitches of the other chords in the first section that has some, so that a longer form changes none."""
    notes = plan.other_harmony(player)
    first = min((note.start for note in notes), default=0.0)
    # The intro is shorter in a short piece, so the first theme counts where there is one.
    theme = next((section for section in plan.sections if section.name == "A"), plan.section_at(first))
    start, end = plan.span_of(theme)
    return [note.pitch for note in notes if start - 1e-6 <= note.start < end] or [note.pitch for note in notes]


def _register(player: Player, place: int) -> int:
    return min(HIGHEST, max(LOWEST, player.register + place))


def _tied(spans: Sequence[VoicedSpan], longest: float, velocity: int) -> Iterator[Note]:
    """Yield one note per pitch for as long as it stays in the voicing, at most ``longest`` beats at a time."""
    for index, span in enumerate(spans):
        before = spans[index - 1].pitches if index else ()
        for pitch in span.pitches:
            if pitch in before:
                continue
            yield from _cut(span.start, _end_of(spans[index:], pitch), longest, pitch, velocity)


def _end_of(spans: Sequence[VoicedSpan], pitch: int) -> float:
    end = spans[0].start
    for span in spans:
        if pitch not in span.pitches:
            break
        end = span.end
    return end


def _cut(start: float, end: float, longest: float, pitch: int, velocity: int) -> Iterator[Note]:
    while start < end - 1e-6:
        length = min(longest, end - start)
        yield Note(on_grid(start), on_grid(length), pitch, velocity)
        start += length
