"""The chords of a piece as one player voices them: a singing top, smooth inner voices, the same every four bars.

    sections ─► blocks of four bars ─► slots (chords, halved where they fill a bar) ─► top line ─► voicings

A block of the same chords is voiced once, so that it returns note for note.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.rng import chance_of, weighted_choice
from tunesmith.composer.score import Note
from tunesmith.composer.theory import Chord, on_grid
from tunesmith.composer.writing.harmony.guitar_shapes import STRINGS, guitar_shape
from tunesmith.composer.writing.harmony.suspensions import MOVES, suspended
from tunesmith.composer.writing.harmony.top_line import CONTOURS, TopSlot, top_line
from tunesmith.composer.writing.harmony.voicing import LEFT_HAND, Pitches, VoiceLeading, voice_chord
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.spans import span_at, spans_from

BLOCK_BARS = 4
# Semitones below and above the register.
REACH = (14, 12)
PAD_REACH = 9
FULLEST = 5
MELODY_GAP = 3
# Semitones above the register that chords keep even under a low lead.
LEAST_ABOVE = 4
# The least top, in MIDI pitches, of two hands or six strings, and that of a pad.
WIDE_TOP, WIDE_PAD_TOP = 67, 64
# Keyboards up to this register are played with two hands, whose upper one does not go below LOWEST_TOP.
HIGHEST_HANDS, LOWEST_TOP = 64, 60
# Voices of a pad, and of every chord player but the first: more would fill the register without being heard.
FEW, FEW_STRINGS = 3, 4
# Semitones of the range of the top voice.
TOP_RANGE = 11
# Whether the top voice has to move in the second half of each bar of a block.
MOVING_HALVES = (False, True, False, True)
SUSPENDING = 0.6
GUITAR_VOICINGS = frozenset({"open", "close", "pad"})
# Voicings whose shape is their genre's own: no voice of theirs moves while the chord stays.
SHAPED = frozenset({"power", "triad", "quartal", "rootless"})


@dataclass(frozen=True, slots=True)
class VoicedSpan:
    """A chord that sounds as ``pitches``, ascending, from ``start`` for ``length`` beats."""

    start: float
    length: float
    chord: Chord
    pitches: Pitches

    @property
    def end(self) -> float:
        """The end in beats."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class VoicedHarmony:
    """The voiced chords of the sections in which a player plays, and the voicing of the piece's last chord."""

    spans: tuple[VoicedSpan, ...]
    final: Pitches

    def at(self, beat: float) -> VoicedSpan:
        """Return the voiced chord at ``beat``; the nearest one before it where the player rests."""
        return span_at(self.spans, beat)

    def between(self, start: float, end: float) -> Iterator[VoicedSpan]:
        """Return the voiced chords that begin in ``[start, end)``."""
        return spans_from(self.spans, start, end)


@dataclass(frozen=True, slots=True)
class _Slot:
    # In beats from the start of its block.
    start: float
    length: float
    chord: Chord
    # Whether the chord began before this slot.
    continues: bool
    bar: int


@dataclass(frozen=True, slots=True)
class _Sounding:
    """The chords of other players that are written already, sorted by start."""

    notes: tuple[Note, ...]
    starts: tuple[float, ...]

    @classmethod
    def of(cls, plan: Plan, player: Player) -> _Sounding:
        notes = sorted(plan.other_harmony(player), key=lambda note: (note.start, note.pitch))
        return cls(tuple(notes), tuple(note.start for note in notes))

    def over(self, start: float, slots: Sequence[_Slot]) -> list[Pitches]:
        """Return the pitches that begin within each slot of the block at ``start``."""
        result = []
        for slot in slots:
            first = bisect.bisect_left(self.starts, start + slot.start - 1e-3)
            last = bisect.bisect_left(self.starts, start + slot.start + slot.length - 1e-3)
            result.append(tuple(sorted({note.pitch for note in self.notes[first:last]})))
        return result


@dataclass(frozen=True, slots=True)
class _Voicer:
    """A player's way to voice chords, which is the same for the whole piece."""

    plan: Plan
    player: Player
    limits: tuple[int, int]
    voicing: str
    # Whether others play chords too, so that a few voices are enough.
    fewer: bool

    @classmethod
    def of(cls, plan: Plan, player: Player) -> _Voicer:
        voicing = _voicing(plan, player, instrument(player.instrument))
        fewer = player.role == "pad" or not _is_first(plan, player)
        return cls(plan, player, register_limits(plan, player), voicing, fewer)

    def pitches(self, chord: Chord, leading: VoiceLeading) -> Pitches:
        """Return the pitches of a chord."""
        player, polyphony = self.player, instrument(self.player.instrument).polyphony
        if self.voicing == "guitar":
            strings = FEW_STRINGS if self.fewer else polyphony
            shape = guitar_shape(chord, player.register, self.limits, strings, leading)
            if shape:
                return shape
        # The second pianist has no left hand: the first one's is enough.
        one_hand = self.voicing == "hands" and self.fewer and player.role != "pad"
        voicing = player.voicing if one_hand or self.voicing == "guitar" else self.voicing
        count = min(FEW if self.fewer else FULLEST, polyphony)
        return voice_chord(chord, voicing, player.register, self.limits, count, leading)


def voiced_harmony(plan: Plan, player: Player) -> VoicedHarmony:
    """Return the chords as the player voices them."""
    spans: list[VoicedSpan] = []
    voicer = _Voicer.of(plan, player)
    sounding = _Sounding.of(plan, player)
    known: dict[tuple[_Slot, ...], tuple[Pitches, ...]] = {}
    for section in plan.active_sections(player):
        for bar in range(section.bar, section.bar + section.bars, BLOCK_BARS):
            bars = min(BLOCK_BARS, section.bar + section.bars - bar)
            start = bar * plan.beats_per_bar
            slots = tuple(_slots(plan, start, bars))
            if slots not in known:
                known[slots] = _voiced(voicer, slots, sounding.over(start, slots))
            spans += [
                VoicedSpan(on_grid(start + slot.start), slot.length, slot.chord, pitches)
                for slot, pitches in zip(slots, known[slots], strict=True)
            ]
    last = spans[-1].pitches if spans else ()
    return VoicedHarmony(tuple(spans), voicer.pitches(plan.chords[-1].chord, VoiceLeading(last)))


def register_limits(plan: Plan, player: Player) -> tuple[int, int]:
    """Return the lowest and highest pitch of a player's chords: within the instrument, below a lead that lies above."""
    tool = instrument(player.instrument)
    # A low pad between bass and chords would be mud.
    low = max(tool.low, player.register - (PAD_REACH if player.role == "pad" else REACH[0]))
    top = player.register + REACH[1]
    if _voicing(plan, player, tool) in ("hands", "guitar"):
        low = max(tool.low, LEFT_HAND[0])
        # Two hands and six strings need their width.
        top = max(top, WIDE_PAD_TOP if player.role == "pad" else WIDE_TOP)
    lead = [p.register for p in plan.players if p.role == "melody" and p.register > player.register + MELODY_GAP]
    ceiling = min(top, max(min(lead) - MELODY_GAP, player.register + LEAST_ABOVE)) if lead else top
    # At least an octave, or a narrow instrument could not voice every chord.
    return low, max(min(tool.high, ceiling), min(tool.high, low + 12))


def _slots(plan: Plan, start: float, bars: int) -> Iterator[_Slot]:
    """Yield the slots of a block: each chord, halved where it fills a bar."""
    bar = plan.beats_per_bar
    pulses = round(bar / plan.meter.felt_beat)
    half = -(-pulses // 2) * plan.meter.felt_beat
    for span in plan.spans_between(start, start + bars * bar):
        at = on_grid(span.start - start)
        number = plan.bar_of(at)
        if pulses >= 2 and span.length >= bar - 1e-6:
            yield _Slot(at, on_grid(half), span.chord, False, number)
            yield _Slot(on_grid(at + half), on_grid(span.length - half), span.chord, True, number)
        else:
            yield _Slot(at, span.length, span.chord, False, number)


def _voiced(voicer: _Voicer, slots: Sequence[_Slot], taken: Sequence[Pitches]) -> tuple[Pitches, ...]:
    key, player, (low, high) = voicer.plan.key, voicer.player, voicer.limits
    # One contour for the whole piece, so that chords sound the same wherever they return.
    random = voicer.plan.brief.rng("chords", "top line", player.name)
    contour = weighted_choice(random, CONTOURS)
    move = weighted_choice(random, MOVES)
    suspends = [chance_of(random, SUSPENDING) for _ in range(BLOCK_BARS)]
    lowest = LOWEST_TOP if voicer.voicing == "hands" else 0
    first = max(low + 7, lowest, min(player.register, high - TOP_RANGE))
    line = top_line([_top_slot(slot) for slot in slots], (first, high), key.pitch_classes, contour)
    voiced: list[Pitches] = []
    for slot, top, avoid in zip(slots, line, taken, strict=True):
        leading = VoiceLeading(voiced[-1] if voiced else (), top, avoid)
        pitches = voicer.pitches(slot.chord, leading)
        if slot.continues and suspends[slot.bar] and player.voicing not in SHAPED:
            pitches = suspended(pitches, slot.chord, key, move)
        voiced.append(_topped(pitches, top, slot))
    return tuple(voiced)


def _top_slot(slot: _Slot) -> TopSlot:
    # A top note that neither moves here nor there would be held for more than two bars.
    moves = MOVING_HALVES[slot.bar] if slot.continues else slot.bar % 2 == 0
    return TopSlot(slot.chord, passing=slot.continues, moves=moves)


def _topped(pitches: Pitches, top: int, slot: _Slot) -> Pitches:
    """Put a passing tone of the top line on top of the voicing, in place of the nearest tone."""
    if not slot.continues or top % 12 in slot.chord.pitch_classes or abs(pitches[-1] - top) > 2:
        return pitches
    below = tuple(pitch for pitch in pitches[:-1] if pitch < top - 1)
    return (*below, top)


def _is_first(plan: Plan, player: Player) -> bool:
    """Return whether no player before this one in the band plays chords."""
    first = plan.first_player("chords", "arpeggio")
    return first is None or first.name == player.name


def _voicing(plan: Plan, player: Player, tool: Instrument) -> str:
    """Return the voicing that suits the instrument: the shapes of a guitar, the two hands of a pianist."""
    if player.voicing not in GUITAR_VOICINGS:
        return player.voicing
    if tool.family == "guitar" and tool.polyphony >= len(STRINGS):
        return "guitar"
    if tool.family != "keys" or player.register > HIGHEST_HANDS or tool.low > LEFT_HAND[0]:
        return player.voicing
    # A pianist who plays the bass too has that hand there, as in ragtime.
    bass_hand = any(other.role == "bass" and other.instrument == player.instrument for other in plan.players)
    return player.voicing if bass_hand else "hands"
