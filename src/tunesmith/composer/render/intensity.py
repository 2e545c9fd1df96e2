"""The parts that sound at an intensity, and the samples of the kicks."""

from __future__ import annotations

from tunesmith.composer.instruments import instrument
from tunesmith.composer.render.layer_order import joining_steps, step_at
from tunesmith.composer.score import Part, Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

KICKS = frozenset({35, 36})


def sample_at(score: Score, beat: float) -> int:
    """Return the sample, at the composer's rate, at which ``beat`` sounds; never below 0."""
    return max(0, round(score.tempo_map.seconds_at(beat) * SAMPLE_RATE))


def length_in_samples(score: Score, sample_rate: int = SAMPLE_RATE) -> int:
    """Return the exact length of the piece in samples."""
    return round(score.duration * sample_rate)


def audible_parts(score: Score, intensity: float | None) -> tuple[Part, ...]:
    """Return the parts that play at ``intensity`` 0–1, in score order: all at 1 and at None, the first ones at 0."""
    if intensity is None or not score.parts:
        return score.parts
    steps = joining_steps(score)
    joined = {part.name for step in steps[: step_at(intensity, len(steps)) + 1] for part in step}
    return tuple(part for part in score.parts if part.name in joined)


def kick_samples(score: Score, intensity: float | None) -> tuple[int, ...]:
    """Return the samples at which audible kick drums start, ascending."""
    end = length_in_samples(score)
    kits = [part for part in audible_parts(score, intensity) if instrument(part.instrument).is_kit]
    hits = {sample_at(score, note.start) for part in kits for note in part.notes if note.pitch in KICKS}
    return tuple(sorted(hit for hit in hits if hit < end))
