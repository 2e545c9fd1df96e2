"""Bass lines: patterns on the roots, walking bass, and lines locked to the kick drum."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import ChordSpan, Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.bass_patterns import BASS_PATTERNS, LOCKED, TOUCH
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.step_patterns import Step, pattern_bars, read_steps

VELOCITIES = {"R": 100, "g": 52, "o": 92, "a": 86}
SLIDING = frozenset({"bass_808", "fretless_bass", "sub_bass", "wobble_bass", "reese_bass"})
SLIDE_SHARE = 0.16
# Section energy from which the line leads into the next section.
FILL_FROM = 0.45
STEADY = frozenset({"pedal", "ostinato"})
# Kicks per bar.
BUSIEST_KICKS = 6


@dataclass(frozen=True, slots=True)
class _Bassist:
    plan: Plan
    player: Player
    random: np.random.Generator
    kicks: tuple[float, ...]
    low: int
    high: int

    def near(self, pitch_class: int, centre: float) -> int:
        """Return the pitch of this class nearest to ``centre`` within the range."""
        options = range(self.low + (pitch_class - self.low) % 12, self.high + 1, 12)
        # The pitch is part of the key, so that of two equally near octaves the lower one always wins.
        return min(options, key=lambda pitch: (abs(pitch - centre), pitch))

    def root(self, span: ChordSpan) -> int:
        """Return the bass note of a chord, near the player's register."""
        # A pedal point holds the tonic as long as the chord contains it.
        if self.player.style == "pedal" and self.plan.key.tonic in span.chord.pitch_classes:
            return self.near(self.plan.key.tonic, self.player.register)
        return self.near(span.chord.bass_pitch_class, self.player.register)


def write_bass(plan: Plan, player: Player, random: np.random.Generator) -> tuple[Note, ...]:
    """Write the bass line in the player's style or ``rhythm``, with the root wherever a chord begins."""
    tool = instrument(player.instrument)
    # More room above than below: patterns play the octave and the fifth above the root.
    low, high = max(tool.low, player.register - 12), min(tool.high, player.register + 14)
    bassist = _Bassist(plan, player, random, plan.kicks(), low, high)
    notes: list[Note] = []
    for section in plan.active_sections(player):
        for bar in range(section.bar, section.bar + section.bars):
            notes += _bar(bassist, section, bar)
    return ended(plan, player, _slid(bassist, notes), (bassist.root(plan.chords[-1]),))


def _bar(bassist: _Bassist, section: Section, bar: int) -> list[Note]:
    plan, player = bassist.plan, bassist.player
    start = bar * plan.beats_per_bar
    if player.style == "walking":
        return _walk(bassist, section, start)
    steps = _rhythm(bassist, section, start)
    last = bar == section.bar + section.bars - 1
    # The last bar of the piece has its landing note instead of a fill.
    if last and section.energy >= FILL_FROM and player.style not in STEADY and bar != plan.bars - 1:
        steps = _with_fill(bassist, steps)
    return _pitched(bassist, steps, start)


def _rhythm(bassist: _Bassist, section: Section, start: float) -> Sequence[Step]:
    plan, player = bassist.plan, bassist.player
    beats = plan.beats_per_bar
    if player.rhythm:
        bars = player.rhythm.split()
        text = bars[round(start / beats) % len(bars)].replace("x", "r").replace("X", "R")
        return read_steps(text, beats)
    # Below this energy the drums are too sparse to lock to.
    if player.style in LOCKED and section.energy >= 0.3:
        locked = _on_kicks(bassist, start, sparse=player.style == "sub")
        if locked:
            return locked
    patterns = BASS_PATTERNS.get(player.style, BASS_PATTERNS["root"])
    return read_steps(pattern_bars(patterns, plan.meter, section.energy), beats)


def _on_kicks(bassist: _Bassist, start: float, *, sparse: bool) -> list[Step]:
    beats = bassist.plan.beats_per_bar
    kicks = [kick - start for kick in bassist.kicks if start - 1e-6 <= kick < start + beats - 1e-6]
    # A double-kick roll, or kicks in the second half of the bar only, give the bass no rhythm.
    if not kicks or len(kicks) > BUSIEST_KICKS or min(kicks) > beats / 2:
        return []
    times = sorted({0.0, *kicks})
    ends = [*times[1:], beats]
    return [
        Step(time, (end - time) if sparse else min(end - time, 1.5), "R" if index == 0 else "r")
        for index, (time, end) in enumerate(zip(times, ends, strict=True))
    ]


def _with_fill(bassist: _Bassist, steps: Sequence[Step]) -> list[Step]:
    """Turn the last beat of a section into a short run into the next one."""
    edge = bassist.plan.beats_per_bar - 1
    if edge < 1:
        return list(steps)
    kept = [replace(step, length=min(step.length, edge - step.start)) for step in steps if step.start < edge - 1e-6]
    return [*kept, Step(edge, 0.5, "f" if chance_of(bassist.random, 0.5) else "o"), Step(edge + 0.5, 0.5, "a")]


def _pitched(bassist: _Bassist, steps: Sequence[Step], start: float) -> list[Note]:
    plan = bassist.plan
    end = start + plan.beats_per_bar
    touch = TOUCH.get(bassist.player.style, 0.9)
    notes = []
    changes = [span.start for span in plan.spans_between(start, end)]
    steps = _covering(steps, [change - start for change in changes if change > start + 1e-6])
    for step in steps:
        beat = start + step.start
        span = plan.chord_at(beat)
        # The root sounds where the harmony changes, whatever the pattern says: it tells the ear the chord.
        letter = "R" if abs(beat - span.start) < 1e-6 and step.letter not in "Rg" else step.letter
        pitch = _pitch(bassist, letter, span, plan.chord_at(min(end, span.start + span.length)))
        # A note ends with its chord, or it would clash with the next one.
        length = on_grid(max(0.1, min(step.length * touch, end - beat, span.start + span.length - beat)))
        notes.append(Note(on_grid(beat), length, pitch, VELOCITIES.get(letter, 88)))
    return notes


def _covering(steps: Sequence[Step], changes: Sequence[float]) -> list[Step]:
    """Sound the root at each chord change within the bar, even where the pattern rests or holds."""
    result = list(steps)
    for change in changes:
        if any(abs(step.start - change) < 1e-6 for step in result):
            continue
        held = next((step for step in result if step.start < change < step.start + step.length), None)
        if held is not None:
            result[result.index(held)] = replace(held, length=change - held.start)
        following = min((step.start for step in result if step.start > change), default=change + 1)
        result.append(Step(change, min(1.0, following - change), "r"))
    return sorted(result, key=lambda step: step.start)


def _pitch(bassist: _Bassist, letter: str, span: ChordSpan, following: ChordSpan) -> int:
    root = bassist.root(span)
    if letter in "RrgxX":
        return root
    if letter == "o":
        return root + 12 if root + 12 <= bassist.high else root
    if letter == "a":
        return _approach(bassist, root, bassist.root(following))
    # Fifths and thirds lie above the root, where they do not muddy the low end.
    return bassist.near((span.chord.root + _interval(span, letter)) % 12, root + 4)


def _interval(span: ChordSpan, letter: str) -> int:
    steps = span.chord.intervals
    if letter == "t":
        return next((step for step in steps if step in (3, 4)), 7)
    if letter == "s":
        return next((step for step in steps if step in (9, 10, 11)), 9 if 4 in steps else 10)
    return next((step for step in steps if step in (6, 7, 8)), 7)


def _approach(bassist: _Bassist, root: int, target: int) -> int:
    """Return an approach note, a step below or above the next root: in the key where possible, else a semitone."""
    if target == root:
        # There is nothing to approach where the root stays; the fifth keeps the line moving.
        return bassist.near((target + 7) % 12, root)
    classes = set(bassist.plan.key.pitch_classes)
    side = 1 if root > target else -1
    options = [target + side * step for step in (1, 2) if (target + side * step) % 12 in classes]
    options += [target - 1, target + 1]
    return next((pitch for pitch in options if bassist.low <= pitch <= bassist.high), target)


def _walk(bassist: _Bassist, section: Section, start: float) -> list[Note]:
    """Write a walking bass in felt beats: the root on a new chord, chord tones between, an approach note at the end."""
    plan = bassist.plan
    pulse = plan.meter.felt_beat if plan.meter.felt_beat >= 1 else 1.0
    if section.energy < 0.25:
        # A calm section gets half notes: quarters would push it forward.
        return _pitched(bassist, read_steps("R-------r-------", plan.beats_per_bar), start)
    notes: list[Note] = []
    beat = start
    while beat < start + plan.beats_per_bar - 1e-6:
        span = plan.chord_at(beat)
        ending = span.start + span.length
        previous = notes[-1].pitch if notes else bassist.root(span)
        pitch = _walked(bassist, span, beat, ending - beat <= pulse + 1e-6, previous)
        length = min(pulse, start + plan.beats_per_bar - beat)
        notes.append(Note(on_grid(beat), on_grid(length * TOUCH["walking"]), pitch, 88))
        beat += pulse
    # A skipped note before the last beat.
    if section.energy > 0.6 and chance_of(bassist.random, 0.25):
        last = notes[-1]
        notes[-1] = replace(last, length=on_grid(last.length * 0.6))
        notes.append(Note(on_grid(last.start + pulse * 2 / 3), on_grid(pulse * 0.28), last.pitch, 58))
    return notes


def _walked(bassist: _Bassist, span: ChordSpan, beat: float, last: bool, previous: int) -> int:
    if abs(beat - span.start) < 1e-6:
        return bassist.root(span)
    following = bassist.plan.chord_at(span.start + span.length)
    if last:
        return _approach(bassist, previous, bassist.root(following))
    target = bassist.root(following)
    tones = [bassist.near(tone, previous + (3 if target >= previous else -3)) for tone in span.chord.pitch_classes]
    # A repeated note would stop the walk.
    options = [tone for tone in tones if tone != previous] or tones
    return options[int(bassist.random.integers(len(options)))]


def _slid(bassist: _Bassist, notes: Sequence[Note]) -> list[Note]:
    """Let some notes of a gliding bass slide in from the note before."""
    if bassist.player.instrument not in SLIDING:
        return list(notes)
    result = list(notes[:1])
    for before, note in itertools.pairwise(notes):
        distance = before.pitch - note.pitch
        # Slides wider than an octave, or on notes too short to arrive, sound like mistakes.
        slides = 0 < abs(distance) <= 12 and note.length >= 0.5 and chance_of(bassist.random, SLIDE_SHARE)
        result.append(replace(note, glide=distance) if slides else note)
    return result
