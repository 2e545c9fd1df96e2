"""Chord parts: voiced chords in the player's accompaniment style, fuller as the section's energy grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.chord_patterns import (
    ACCENTS,
    CHORD_PATTERNS,
    LONG_STYLES,
    PLAIN_VELOCITY,
    SHORT_STYLES,
)
from tunesmith.composer.writing.accompaniment.voiced_harmony import VoicedHarmony, VoicedSpan, voiced_harmony
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.harmony.voicing import Pitches
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.step_patterns import Step, cycle_bar, own_steps, pattern_bars, read_steps

# A voice that moves under a held chord is softer than the chord.
MOVING_VELOCITY = 58
SHORTEST = 0.06
# Styles in which a guitarist damps the strings in the soft strokes: the scratch between the chords of funk.
SCRATCHED = frozenset({"funk16", "skank", "offbeat"})
# In beats: how long a single note of a broken chord rings where its chord stays.
RING = 2.0
# Voices of the upper strings, or of a right hand.
UPPER_VOICES = 3


def write_chords(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Write the accompaniment in the player's ChordStyle or ``rhythm``: a cycle of four bars, then the same again."""
    harmony = voiced_harmony(plan, player)
    share = float(plan.brief.rng("groove", "chord pattern", player.name).random())
    notes: list[Note] = []
    for section in plan.active_sections(player):
        for bar in range(section.bar, section.bar + section.bars):
            start = bar * plan.beats_per_bar
            for step in _rhythm(plan, player, section, bar, share):
                notes += _struck(plan, player, harmony, step, start)
    return ended(plan, player, notes, harmony.final)


def _rhythm(plan: Plan, player: Player, section: Section, bar: int, share: float) -> Sequence[Step]:
    beats = plan.beats_per_bar
    if player.rhythm:
        return own_steps(player.rhythm, bar - section.bar, beats, "c")
    patterns = CHORD_PATTERNS.get(player.style, CHORD_PATTERNS["block"])
    text = pattern_bars(patterns, plan.meter, section.energy)
    return read_steps(cycle_bar(text, share, bar - section.bar), beats)


def _struck(plan: Plan, player: Player, harmony: VoicedHarmony, step: Step, start: float) -> Iterator[Note]:
    """Yield the notes of one stroke; under a held chord, a voice that moves is struck again."""
    beat, end = start + step.start, start + plan.beats_per_bar
    velocity = ACCENTS.get(step.letter, PLAIN_VELOCITY)
    if step.letter == "p":
        # A push: the next bar's chord, ahead of its bar line. A loop's last bar pushes into its first one.
        following = harmony.at(end if end < plan.end - 1e-6 else 0.0 if plan.brief.loop else beat)
        for pitch in following.pitches:
            yield Note(on_grid(beat), on_grid(step.length), pitch, velocity)
        return
    span = harmony.at(beat)
    until = min(beat + _length(player, step, end - beat), end)
    for pitch in _chosen(step.letter, span.pitches):
        length = _sounding(plan, harmony, span, pitch, until) - beat
        yield Note(on_grid(beat), on_grid(max(SHORTEST, length)), pitch, velocity)
    # Only as far as the pattern itself holds the stroke; what merely rings is not struck again.
    if player.style not in SHORT_STYLES:
        yield from _moved(plan, harmony, step, beat)


def _moved(plan: Plan, harmony: VoicedHarmony, step: Step, beat: float) -> Iterator[Note]:
    """Yield what enters under a held stroke: the voices that move, and all of a new chord."""
    before, until = harmony.at(beat), beat + step.length
    for span in harmony.between(beat + 1e-3, until):
        same = span.chord == before.chord
        for pitch in _chosen(step.letter, span.pitches):
            if same and pitch in before.pitches:
                continue
            length = min(_sounding(plan, harmony, span, pitch, until), until) - span.start
            velocity = MOVING_VELOCITY if same else ACCENTS.get(step.letter, PLAIN_VELOCITY)
            yield Note(on_grid(span.start), on_grid(max(SHORTEST, length)), pitch, velocity)
        before = span


def _sounding(plan: Plan, harmony: VoicedHarmony, span: VoicedSpan, pitch: int, until: float) -> float:
    """Return when a pitch ends, at the latest at ``until``: with its chord, or where its voice moves on."""
    while span.end < until - 1e-6 and span.end < plan.end - 1e-6:
        following = harmony.at(span.end)
        if following.start <= span.start or following.chord != span.chord or pitch not in following.pitches:
            return span.end
        span = following
    return until


def _length(player: Player, step: Step, room: float) -> float:
    if player.style in LONG_STYLES and step.letter not in "Ccg":
        # Broken chords ring as on a guitar or with the piano's pedal.
        return min(room, max(step.length, RING))
    is_guitar = instrument(player.instrument).family == "guitar"
    if is_guitar and step.letter == "g" and player.style in SCRATCHED:
        return SHORTEST
    # Cut short, a guitar sounds like a horn: its strings ring as long as the stroke.
    if player.style in SHORT_STYLES and not (player.rhythm or is_guitar):
        return step.length * 0.75
    return step.length


def _chosen(letter: str, pitches: Pitches) -> Pitches:
    if letter.isdigit():
        return (pitches[(int(letter) - 1) % len(pitches)],)
    upper = min(UPPER_VOICES, len(pitches) - 1)
    if letter == "l":
        return pitches[:-upper] if upper else pitches
    if letter == "u":
        # An upstroke reaches only the upper strings, and so does a right hand.
        return pitches[-upper:] if upper else pitches
    if letter == "o":
        return (pitches[0], pitches[-1])
    return {"t": pitches[-1:], "b": pitches[:1]}.get(letter, pitches)
