"""The parts that sound at an intensity, and the samples of the kicks."""

from __future__ import annotations

from tunesmith.composer.instruments import instrument
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
    """Return the parts that play at ``intensity`` 0–1 (None: all); those that enter first always play."""
    if intensity is None or not score.parts:
        return score.parts
    threshold = max(intensity, min(part.entry for part in score.parts))
    return tuple(part for part in score.parts if part.entry <= threshold)


def kick_samples(score: Score, intensity: float | None) -> tuple[int, ...]:
    """Return the samples at which audible kick drums start, ascending."""
    end = length_in_samples(score)
    kits = [part for part in audible_parts(score, intensity) if instrument(part.instrument).is_kit]
    hits = {sample_at(score, note.start) for part in kits for note in part.notes if note.pitch in KICKS}
    return tuple(sorted(hit for hit in hits if hit < end))
