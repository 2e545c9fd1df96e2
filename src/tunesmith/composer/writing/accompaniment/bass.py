"""Bass lines: four-bar cycles of patterns, walking bass, and lines locked to the kick drum."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import ChordSpan, Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.bass_patterns import (
    BASS_PATTERNS,
    LOCKED,
    LOCKED_LETTERS,
    LOCKED_RUN,
    STEPPING,
    TOUCH,
)
from tunesmith.composer.writing.accompaniment.bassist import Bassist
from tunesmith.composer.writing.accompaniment.walking_bass import walk
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.step_patterns import (
    CYCLE,
    CYCLE_BARS,
    Step,
    cycle_bar,
    own_steps,
    pattern_bars,
    read_steps,
)

VELOCITIES = {"R": 100, "g": 52, "o": 92, "a": 86, "w": 84}
SLIDING = frozenset({"bass_808", "fretless_bass", "sub_bass", "wobble_bass", "reese_bass"})
SLIDE_SHARE = 0.16
# Section energy from which the line leads into the next section.
FILL_FROM = 0.45
STEADY = frozenset({"pedal", "ostinato"})
# Kicks per bar.
BUSIEST_KICKS = 6
# Below this section energy the drums are too sparse to lock to, and a walk would push forward.
LOCKED_FROM, WALKING_FROM = 0.3, 0.25
CALM_WALK = "R-------r------- R-------f------- R-------r---f--- R-------f---a---"


def write_bass(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Write the bass line in the player's style or ``rhythm``, with the root wherever a chord begins."""
    bassist = Bassist.of(plan, player)
    share = float(plan.brief.rng("groove", "bass pattern", player.name).random())
    notes: list[Note] = []
    for section in plan.active_sections(player):
        for bar in range(section.bar, section.bar + section.bars):
            notes += _bar(bassist, section, bar, share)
    return ended(plan, player, _slid(bassist, notes), (bassist.root(plan.chords[-1]),))


def _bar(bassist: Bassist, section: Section, bar: int, share: float) -> list[Note]:
    plan, player = bassist.plan, bassist.player
    if player.style == "walking" and not player.rhythm and section.energy >= WALKING_FROM:
        return walk(bassist, section, bar)
    steps = _rhythm(bassist, section, bar, share)
    last = bar == section.bar + section.bars - 1
    # The last bar of the piece has its landing note instead of a fill.
    if last and section.energy >= FILL_FROM and player.style not in STEADY and bar != plan.bars - 1:
        steps = _with_fill(bassist, steps, bar)
    return _pitched(bassist, steps, bar * plan.beats_per_bar)


def _rhythm(bassist: Bassist, section: Section, bar: int, share: float) -> Sequence[Step]:
    plan, player = bassist.plan, bassist.player
    beats = plan.beats_per_bar
    if player.rhythm:
        return own_steps(player.rhythm, bar - section.bar, beats, "r")
    place = bar - section.bar
    if player.style in LOCKED and section.energy >= LOCKED_FROM:
        locked = _on_kicks(bassist, bar * beats, sparse=player.style == "sub")
        if locked:
            return _colored(bassist, locked, place, share)
    if player.style == "walking":
        return read_steps(cycle_bar(CALM_WALK, share, place), beats)
    # A pianist's left hand has no time for a bass player's octaves.
    keys = instrument(player.instrument).family == "keys"
    patterns = BASS_PATTERNS["root" if keys and player.style == "octaves" else player.style]
    return read_steps(cycle_bar(pattern_bars(patterns, plan.meter, section.energy), share, place), beats)


def _on_kicks(bassist: Bassist, start: float, *, sparse: bool) -> list[Step]:
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


def _colored(bassist: Bassist, steps: Sequence[Step], place: int, share: float) -> list[Step]:
    """Give the steps that lock to the kick the pitches of a cycle, and bar four a run into the next bar."""
    alternatives = LOCKED_LETTERS[bassist.player.style]
    letters = alternatives[int(share * len(alternatives))][CYCLE[place % CYCLE_BARS]]
    beats = bassist.plan.beats_per_bar
    first = [step for step in steps if step.start < beats / 2 - 1e-6]
    second = steps[len(first) :]
    result = [*first, *(replace(step, letter=letter) for step, letter in zip(second, letters, strict=False))]
    result += second[len(letters) :]
    if place % CYCLE_BARS == CYCLE_BARS - 1 and bassist.player.style in STEPPING and beats >= 3:
        run = [Step(beats + at, 0.5, letter) for at, letter in LOCKED_RUN]
        return [*_until(result, run[0].start), *run]
    return result


def _until(steps: Iterable[Step], edge: float) -> list[Step]:
    """Return the steps that begin before ``edge``, in beats, and end there at the latest."""
    return [replace(step, length=min(step.length, edge - step.start)) for step in steps if step.start < edge - 1e-6]


def _with_fill(bassist: Bassist, steps: Sequence[Step], bar: int) -> list[Step]:
    """Turn the last beat of a section into a short run into the next one."""
    edge = bassist.plan.beats_per_bar - 1
    if edge < 1:
        return list(steps)
    place = bassist.plan.place_of(bar)
    letter = bassist.plan.brief.choice("groove", "bass fill", bassist.player.name, place, options=("f", "o", "w"))
    return [*_until(steps, edge), Step(edge, 0.5, letter), Step(edge + 0.5, 0.5, "w" if letter == "w" else "a")]


def _pitched(bassist: Bassist, steps: Sequence[Step], start: float) -> list[Note]:
    plan = bassist.plan
    end = start + plan.beats_per_bar
    touch = TOUCH.get(bassist.player.style, 0.9)
    notes = []
    changes = [span.start for span in plan.spans_between(start, end)]
    steps = _covering(steps, [change - start for change in changes if change > start + 1e-6])
    for index, step in enumerate(steps):
        beat = start + step.start
        span = plan.chord_at(beat)
        ending = min(end, span.end)
        # The root sounds where the harmony changes, whatever the pattern says: it tells the ear the chord.
        letter = "R" if abs(beat - span.start) < 1e-6 and step.letter not in "Rg" else step.letter
        remaining = sum(1 for later in steps[index:] if later.letter in "wa" and start + later.start < ending - 1e-6)
        # A loop's last bar leads into its first one.
        target = plan.chord_at(0.0 if plan.brief.loop and ending >= plan.end - 1e-6 else ending)
        pitch = _pitch(bassist, letter, span, target, remaining)
        # A note ends with its chord, or it would clash with the next one.
        length = on_grid(max(0.1, min(step.length * touch, end - beat, span.end - beat)))
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


def _pitch(bassist: Bassist, letter: str, span: ChordSpan, following: ChordSpan, remaining: int) -> int:
    """Return the pitch of a letter; ``remaining`` counts the steps of a walk that are left, this one included."""
    root = bassist.root(span)
    if letter in "Rrg":
        return root
    if letter == "o":
        return bassist.octave(span)
    if letter == "a":
        return bassist.approach(root, bassist.root(following))
    if letter == "w":
        return bassist.stepwise(root, bassist.root(following), max(1, remaining))
    return bassist.tone(span, letter)


def _slid(bassist: Bassist, notes: Sequence[Note]) -> list[Note]:
    """Let some notes of a gliding bass slide in from the note before."""
    if bassist.player.instrument not in SLIDING:
        return list(notes)
    draws = bassist.plan.section_draws(bassist.player, "slides")
    result = list(notes[:1])
    for before, note in itertools.pairwise(notes):
        distance = before.pitch - note.pitch
        # Slides wider than an octave, or on notes too short to arrive, sound like mistakes.
        slides = 0 < abs(distance) <= 12 and note.length >= 0.5 and chance_of(draws(note.start), SLIDE_SHARE)
        result.append(replace(note, glide=distance) if slides else note)
    return result
