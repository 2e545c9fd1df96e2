"""Counter-melodies: an answer where the lead rests, long notes in thirds and sixths where it plays."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import ChordSpan, Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.harmony.scales import chord_tone_rank, ladder, line_scale
from tunesmith.composer.writing.melody.idioms import pitch_range_of
from tunesmith.composer.writing.plan import Plan, Player

# Semitones by which the line rises and falls over a phrase; longer waves would keep phrases from repeating.
WAVE = 4.0
WAVE_BARS = 4
# In beats: the lead's notes that are long enough to be answered while they sound, and when the answer may begin.
HELD_FROM, STILL_AFTER = 2.0, 1.0
# Beats of silence in the lead that leave room for an answer.
GAP = 1.25
CONSONANCES = frozenset({3, 4, 5, 7, 8, 9})
ANSWERS: tuple[tuple[tuple[float, int], ...], ...] = (
    ((0.0, 0), (0.5, 1), (1.0, 2)),
    ((0.0, 2), (0.5, 1), (1.0, 0)),
    ((0.5, 0), (1.0, 2)),
    ((0.0, 0), (0.5, -1), (1.0, 0), (1.5, 2)),
    ((0.5, 4), (1.0, 2), (1.5, 1), (2.0, 0)),
    ((0.0, 0), (1.0, 2)),
    ((0.5, 0), (1.0, 1), (1.5, 0)),
)
"""Short answers where the lead gives none: (beat, scale step from a chord tone) of each note."""
STATING = frozenset({"A", "B", "C", "drop"})
# Notes of the lead's hook that an answer repeats.
HOOK_NOTES = (2, 4)
# In beats; shorter ones are ornaments.
SHORTEST_REPLY = 0.2


@dataclass(frozen=True, slots=True)
class _Counter:
    plan: Plan
    tool: Instrument
    low: int
    high: int
    lead: tuple[Note, ...]
    starts: tuple[float, ...]
    reply: tuple[tuple[float, int], ...]

    def lead_at(self, beat: float) -> Note | None:
        """Return the lead's note that sounds at ``beat``, or None."""
        index = bisect.bisect_right(self.starts, beat + 1e-6) - 1
        return self.lead[index] if index >= 0 and self.lead[index].end > beat + 1e-6 else None

    def lead_within(self, start: float, end: float) -> tuple[Note, ...]:
        """Return the lead's notes that begin in ``[start, end)``."""
        return self.lead[bisect.bisect_left(self.starts, start) : bisect.bisect_left(self.starts, end)]


def write_counter(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Write a second voice to the lead that is already in ``plan.written``, or a sparse line where there is none."""
    tool = instrument(player.instrument)
    low, high = pitch_range_of(tool, player.register, 9)
    lead = _lead(plan)
    reply = _hook(plan, lead) or plan.brief.choice("melody", "answer", player.name, options=ANSWERS)
    voice = _Counter(plan, tool, low, high, lead, tuple(note.start for note in lead), reply)
    notes: list[Note] = []
    for section in plan.active_sections(player):
        # From the register, not from the last note: what comes before must not change a section.
        notes += _section(voice, section, player.register)
    return _finished(plan, notes)


def _lead(plan: Plan) -> tuple[Note, ...]:
    for player in plan.players:
        if player.role == "melody" and plan.written.get(player.name):
            return plan.written[player.name]
    return ()


def _hook(plan: Plan, lead: Sequence[Note]) -> tuple[tuple[float, int], ...]:
    """Return the head of the lead's hook as an answer: the first notes of the first section that states a theme."""
    start = next((s.bar * plan.beats_per_bar for s in plan.sections if s.name in STATING), 0.0)
    fewest, most = HOOK_NOTES
    head = [n for n in lead if start - 1e-6 <= n.start < start + plan.beats_per_bar and n.length >= SHORTEST_REPLY]
    head = head[:most]
    if len(head) < fewest:
        return ()
    rungs = ladder(line_scale(plan.key, plan.genre))
    first = rungs.nearest(head[0].pitch)
    return tuple((note.start - head[0].start, rungs.nearest(note.pitch) - first) for note in head)


def _section(voice: _Counter, section: Section, previous: int) -> list[Note]:
    plan = voice.plan
    random = plan.brief.rng("melody", "answers", plan.place_of(section.bar))
    start, end = plan.span_of(section)
    gaps = list(_gaps(voice, start, end))
    notes: list[Note] = []
    velocity = int(56 + 30 * section.energy)
    for span in plan.spans_between(start, end):
        gap = next((gap for gap in gaps if span.start - 1e-6 <= gap[0] < span.end - 0.5), None)
        until = gap[0] if gap else min(span.end, end)
        if until - span.start >= 1.0:
            held = _held(voice, span, until, previous, velocity)
            _connect(voice, notes, held)
            notes += held
            previous = notes[-1].pitch if notes else previous
        if gap and (voice.lead or chance_of(random, 0.5)):
            notes += _answer(voice, gap, previous, velocity + 6)
            previous = notes[-1].pitch if notes else previous
    return notes


def _gaps(voice: _Counter, start: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield (start, end) of the lead's silences and held notes that leave room for an answer, at most two bars each."""
    edges = [start, *(_fallen_still(note) for note in voice.lead_within(start, end))]
    begins = [*(note.start for note in voice.lead_within(start, end)), end]
    for silence, following in zip(edges, begins, strict=True):
        # Answers enter on an eighth, not wherever the lead happens to stop.
        opening = np.ceil(silence * 2) / 2
        if following - opening >= GAP:
            yield float(opening), min(following, float(opening) + 2 * voice.plan.beats_per_bar)


def _fallen_still(note: Note) -> float:
    """Return when a note of the lead leaves room: at its end, or soon after its start where it is held."""
    return min(note.end, note.start + STILL_AFTER) if note.length >= HELD_FROM else note.end


def _held(voice: _Counter, span: ChordSpan, until: float, previous: int, velocity: int) -> list[Note]:
    """Hold one chord tone near the last pitch, consonant with the lead and in contrary motion to it."""
    above = voice.lead_at(span.start)
    later = voice.lead_at(until - 0.25)
    motion = (later.pitch - above.pitch) if above and later else 0
    tones = [p for p in range(voice.low, voice.high + 1) if p % 12 in span.chord.pitch_classes]
    if not tones:
        return []
    # The slow wave keeps the line from circling around one pitch for the whole piece.
    bar = voice.plan.bar_of(span.start) - voice.plan.section_at(span.start).bar
    at = bar + span.start / voice.plan.beats_per_bar % 1
    centre = (voice.low + voice.high) / 2 + WAVE * np.sin(at * 2 * np.pi / WAVE_BARS)

    def cost(pitch: int) -> float:
        return _strain(pitch, previous, centre, above, motion) + _clash(voice, pitch, span.start, until)

    # The pitch itself breaks ties, so that the result never depends on the order of the search.
    pitch = min(tones, key=lambda p: (cost(p), p))
    return [Note(on_grid(span.start), on_grid(until - span.start), pitch, velocity)]


def _connect(voice: _Counter, notes: list[Note], held: Sequence[Note]) -> None:
    """Fill a third or fourth between two held notes with a passing tone on the beat before the second."""
    if not notes or not held or notes[-1].length < 2.0 or abs(notes[-1].end - held[0].start) > 0.01:
        return
    last, following = notes[-1], held[0]
    between = [p for p in range(min(last.pitch, following.pitch) + 1, max(last.pitch, following.pitch))
               if p % 12 in voice.plan.key.pitch_classes]  # fmt: skip
    if not between or abs(last.pitch - following.pitch) > 5:
        return
    middle = min(between, key=lambda p: (abs(2 * p - last.pitch - following.pitch), p))
    at = following.start - min(1.0, voice.plan.meter.felt_beat)
    notes[-1] = replace(last, length=on_grid(at - last.start))
    notes.append(Note(on_grid(at), on_grid(following.start - at), middle, max(1, last.velocity - 6)))


def _strain(pitch: int, previous: int, centre: float, lead: Note | None, motion: int) -> float:
    move = pitch - previous
    cost = (
        # A repeated pitch costs as much as a leap of a fourth: a line that stands still is heard as a pedal tone.
        0.5 * abs(move) + (0.6 if move * motion > 0 else 0.0) + (2.4 if move == 0 else 0.0) + 0.15 * abs(pitch - centre)
    )
    if lead is None:
        return cost
    apart = abs(lead.pitch - pitch)
    # Within a whole tone of the lead the voices blur; beyond a twelfth they stop sounding like one texture.
    return (
        cost + (6.0 if apart < 3 else 0.0) + (0.0 if apart % 12 in CONSONANCES else 1.5) + (1.0 if apart > 19 else 0.0)
    )


def _clash(voice: _Counter, pitch: int, start: float, until: float) -> float:
    # Minor seconds and their octave displacements clash as long as they last.
    rubbing = [note for note in voice.lead_within(start, until) if abs(note.pitch - pitch) in (1, 11, 13)]
    return 2.0 * sum(note.length for note in rubbing)


def _answer(voice: _Counter, gap: tuple[float, float], previous: int, velocity: int) -> list[Note]:
    """Answer with the piece's own figure, its last note a chord tone held to the end of the gap."""
    plan = voice.plan
    rungs = ladder(line_scale(plan.key, plan.genre))
    chord = plan.chord_at(gap[0]).chord
    tones = [p for p in range(voice.low, voice.high + 1) if p % 12 in chord.pitch_classes]
    if not tones:
        return []
    anchor = rungs.nearest(min(tones, key=lambda p: (abs(p - previous), p)))
    figure = [(at, step) for at, step in voice.reply if at < gap[1] - gap[0] - 0.4]
    ends = [*(at for at, _ in figure[1:]), min(gap[1] - gap[0], (figure[-1][0] if figure else 0) + 2.0)]
    notes = []
    for (at, step), end in zip(figure, ends, strict=True):
        pitch = min(max(rungs.climb(anchor, step), voice.low), voice.high)
        notes.append(Note(on_grid(gap[0] + at), on_grid(end - at), pitch, min(velocity, 127)))
    return [replace(note, pitch=_settled(voice, note)) for note in notes]


def _settled(voice: _Counter, note: Note) -> int:
    """Return the nearest chord tone for a long or accented note, and its own pitch for a passing one."""
    if note.length < 1.0 and note.start % 1:
        return note.pitch
    sits = chord_tone_rank(voice.plan.chord_at(note.start).chord, voice.plan.key.pitch_classes)
    near = [p for p in range(voice.low, voice.high + 1) if sits[p] == 0]
    return min(near, key=lambda p: (abs(p - note.pitch), p)) if near else note.pitch


def _finished(plan: Plan, notes: Sequence[Note]) -> tuple[Note, ...]:
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: note.start):
        if line and line[-1].end > note.start:
            line[-1] = replace(line[-1], length=on_grid(note.start - line[-1].start))
        line.append(replace(note, length=on_grid(min(note.length, plan.end - note.start))))
    return tuple(note for note in line if note.length > 0.05)
