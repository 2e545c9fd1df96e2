"""An inner line: where only pads play the harmony, one of their voices moves through the chord like a viola."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.voiced_harmony import VoicedSpan
from tunesmith.composer.writing.harmony.scales import Ladder, ladder
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.step_patterns import CYCLE, CYCLE_BARS

FIGURES: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((0, 2, 1, 2), (0, 1, 2, 1), (0, -1, 0, 2)),
    ((0, 1, 2, 0), (0, 2, 1, 0), (2, 1, 0, -1)),
    ((0, 2, 0, 1), (0, 2, 1, 2), (0, 1, -1, 0)),
)
"""Scale steps from the voice, note by note: A, A' and B of the cycle A A' A B."""
# Voices of a chord from which an inner one may move alone.
FEWEST_VOICES = 3
MOVING_ROLES = frozenset({"chords", "arpeggio"})
# Felt beats per note of a calm line, and the section energy from which each beat has a note.
SLOW_BEATS, MOVING_FROM = 2, 0.45
SOFTER = 6


def has_inner_line(plan: Plan, player: Player) -> bool:
    """Return whether the player is the first pad of a band in which nobody plays broken or repeated chords."""
    first = plan.first_player("pad")
    others = any(other.role in MOVING_ROLES for other in plan.players)
    return first is not None and first.name == player.name and not others and plan.genre.harmony.style != "drone"


def moving_voice(span: VoicedSpan) -> int | None:
    """Return the pitch of the voice that moves: the one below the top; None where the chord has too few voices."""
    return span.pitches[-2] if len(span.pitches) >= FEWEST_VOICES else None


def inner_line(plan: Plan, spans: Sequence[VoicedSpan], energy: float, velocity: int, share: float) -> Iterator[Note]:
    """Yield the notes of the moving voice over ``spans`` of one section; ``share`` chooses the figure."""
    figures = FIGURES[int(share * len(FIGURES))]
    scale = ladder(plan.key.pitch_classes)
    pulse = plan.meter.felt_beat * (1 if energy >= MOVING_FROM else SLOW_BEATS)
    first = round(spans[0].start / plan.beats_per_bar) if spans else 0
    for span in spans:
        voice = moving_voice(span)
        if voice is None:
            continue
        bar = plan.bar_of(span.start)
        figure = figures[CYCLE[(bar - first) % CYCLE_BARS]]
        beat = span.start
        while beat < span.end - 1e-6:
            length = min(pulse, span.end - beat)
            place = round((beat - bar * plan.beats_per_bar) / pulse)
            pitch = _stepped(scale, span, voice, figure[place % len(figure)])
            yield Note(on_grid(beat), on_grid(length), pitch, max(1, velocity - SOFTER))
            beat += length


def _stepped(scale: Ladder, span: VoicedSpan, voice: int, steps: int) -> int:
    """Return the scale pitch so many steps from the voice, or the voice itself where that would meet a neighbour."""
    pitch = scale.climb(scale.nearest(voice), steps) if steps else voice
    clashes = any(abs(pitch - other) < 2 for other in span.pitches if other != voice)
    return voice if clashes else pitch
