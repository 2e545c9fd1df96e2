"""Chord parts: voiced chords in the player's accompaniment style, fuller as the section's energy grows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import ChordSpan, Note, Section
from tunesmith.composer.theory import Chord, on_grid
from tunesmith.composer.writing.accompaniment.chord_patterns import (
    ACCENTS,
    CHORD_PATTERNS,
    LONG_STYLES,
    PLAIN_VELOCITY,
    SHORT_STYLES,
)
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.harmony.voicing import Pitches, voice_chord
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.step_patterns import Step, pattern_bars, read_steps

# Semitones below and above the register.
REACH = (14, 12)
FULLEST = 5
# How often the bar that ends a phrase takes a busier pattern.
VARIED = 0.3
MELODY_GAP = 3
ANTICIPATING = frozenset({"montuno"})
GUITAR_VOICES = 5


@dataclass
class Voicer:
    """A player's voicings, chord after chord, each with voice leading from the one before."""

    plan: Plan
    player: Player
    previous: Pitches = ()

    def __call__(self, chord: Chord) -> Pitches:
        """Return ascending MIDI pitches within the player's range and polyphony."""
        tool = instrument(self.player.instrument)
        low = max(tool.low, self.player.register - REACH[0])
        # At least an octave, or a narrow instrument could not voice every chord.
        high = max(min(tool.high, self._ceiling()), min(tool.high, low + 12))
        count = min(FULLEST, tool.polyphony)
        voiced = voice_chord(chord, self.player.voicing, self.player.register, (low, high), count, self.previous)
        self.previous = voiced
        return voiced

    def _ceiling(self) -> int:
        """Return the highest pitch that stays below the lead, where the lead lies above."""
        lead = [p.register for p in self.plan.players if p.role == "melody" and p.register > self.player.register + 7]
        top = self.player.register + REACH[1]
        return min(top, max(min(lead) - MELODY_GAP, self.player.register + 7)) if lead else top


def write_chords(plan: Plan, player: Player, random: np.random.Generator) -> tuple[Note, ...]:
    """Write the accompaniment in the player's ChordStyle or ``rhythm``."""
    voicer = Voicer(plan, player)
    notes: list[Note] = []
    for section in plan.active_sections(player):
        for bar in range(section.bar, section.bar + section.bars):
            steps = _rhythm(plan, player, section, bar, random)
            notes += _bar_notes(plan, player, voicer, bar * plan.beats_per_bar, steps)
    return ended(plan, player, notes, voicer(plan.chords[-1].chord))


def _rhythm(plan: Plan, player: Player, section: Section, bar: int, random: np.random.Generator) -> Sequence[Step]:
    beats = plan.beats_per_bar
    if player.rhythm:
        bars = player.rhythm.split()
        return read_steps(bars[bar % len(bars)].replace("x", "c").replace("X", "C"), beats)
    # A busier bar at the end of a phrase leads into the next one.
    closing = (bar - section.bar) % plan.genre.phrase_bars == plan.genre.phrase_bars - 1
    energy = min(1.0, section.energy + (0.25 if closing and chance_of(random, VARIED) else 0.0))
    return read_steps(
        pattern_bars(CHORD_PATTERNS.get(player.style, CHORD_PATTERNS["block"]), plan.meter, energy), beats
    )


def _bar_notes(plan: Plan, player: Player, voicer: Voicer, start: float, steps: Sequence[Step]) -> Iterator[Note]:
    end = start + plan.beats_per_bar
    voiced: dict[float, Pitches] = {}
    for step in _restruck(plan, player, start, steps):
        beat = start + step.start
        span = _span_of(plan, player, beat)
        # One voicing per chord, however often it is struck: revoicing it within the bar would sound restless.
        if span.start not in voiced:
            voiced[span.start] = voicer(span.chord)
        pitches = voiced[span.start]
        # A montuno ties the anticipated chord over the bar line; every other style ends with its chord.
        limit = max(span.start + span.length, beat + 0.25) if player.style in ANTICIPATING else end
        room = min(limit, span.start + span.length if span.start <= beat else end) - beat
        length = min(_length(player, step, end - beat), room)
        for pitch in _chosen(step.letter, pitches, player):
            yield Note(on_grid(beat), on_grid(max(0.06, length)), pitch, ACCENTS.get(step.letter, PLAIN_VELOCITY))


def _span_of(plan: Plan, player: Player, beat: float) -> ChordSpan:
    """Return the chord to play at ``beat``; a montuno plays the next bar's chord already on the last eighth."""
    if player.style in ANTICIPATING and (beat + 0.5) % plan.beats_per_bar < 0.49 and beat + 0.5 < plan.end:
        return plan.chord_at(beat + 0.5)
    return plan.chord_at(beat)


def _restruck(plan: Plan, player: Player, start: float, steps: Sequence[Step]) -> list[Step]:
    """Strike the chord again where a held one would hide a chord change."""
    result: list[Step] = []
    changes = [
        span.start - start
        for span in plan.spans_between(start, start + plan.beats_per_bar)
        if span.start > start + 1e-6
    ]
    for step in steps:
        cuts = [c for c in changes if step.start + 1e-6 < c < step.start + step.length - 1e-6]
        edges = [step.start, *(cuts if player.style not in SHORT_STYLES else []), step.start + step.length]
        result += [Step(a, b - a, step.letter) for a, b in itertools.pairwise(edges)]
    return result


def _length(player: Player, step: Step, room: float) -> float:
    if player.style in LONG_STYLES and step.letter not in "Ccg":
        # Broken chords ring as on a guitar or with the piano's pedal.
        return min(room, max(step.length, 2.0))
    if player.style in SHORT_STYLES and not player.rhythm:
        return step.length * 0.75
    return step.length


def _chosen(letter: str, pitches: Pitches, player: Player) -> Pitches:
    if letter.isdigit():
        return (pitches[(int(letter) - 1) % len(pitches)],)
    if letter == "t":
        return (pitches[-1],)
    if letter == "b":
        return (pitches[0],)
    if letter == "u" and len(pitches) > 2:
        # An upstroke reaches only the upper strings.
        return pitches[-3:] if player.style == "strum" else pitches[1:]
    if letter == "o":
        return (pitches[0], pitches[-1])
    return pitches
