"""Grid check: whether a sound keeps the tempo and the key of the sound that it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.audio.analysis.analyse import Analysis, analyse
from tunesmith.audio.analysis.key import NAMES
from tunesmith.audio.analysis.quality import OTHER_LEVELS, SCALES
from tunesmith.audio.buffer import Audio

TEMPO_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class GridCheck:
    """The outcome of a check: measured tempo in bpm and key, None where none is found, and what is off, in words."""

    tempo_bpm: float | None
    key: str | None
    deviations: tuple[str, ...]


def check_grid(expected: Analysis, audio: Audio, tempo_bpm: float | None, key: str | None) -> GridCheck:
    """Compare a sound with the analysis of its guide, whose tempo in bpm and key are known.

    The tempo or the key is None for a guide that has none that holds throughout.

    A tempo may be found at another metrical level (half, double, dotted), and a key as its relative: neither is another
    tempo or key to the ear. What cannot be found even in the guide is not compared.
    """
    heard, deviations = analyse(audio), []
    if tempo_bpm is not None and tempo_at_level(expected, tempo_bpm) and not tempo_at_level(heard, tempo_bpm):
        found = "no steady beat" if heard.rhythm is None else f"{heard.rhythm.tempo_bpm:.1f} bpm"
        deviations.append(f"tempo: {found} instead of {tempo_bpm:g} bpm")
    if key is not None and expected.key and _notes(expected.key.name) == _notes(key) != _heard_notes(heard):
        deviations.append(f"key: {heard.key.name if heard.key else 'no clear key'} instead of {key}")
    tempo = tempo_at_level(heard, tempo_bpm) if tempo_bpm else None
    return GridCheck(
        tempo or (heard.rhythm.tempo_bpm if heard.rhythm else None), heard.key.name if heard.key else None,
        tuple(deviations),
    )  # fmt: skip


def tempo_at_level(heard: Analysis, wanted: float) -> float | None:
    """Return the measured tempo at the metrical level of the wanted one; None if it is off by more than 1 %."""
    if heard.rhythm is None:
        return None
    levels = (heard.rhythm.tempo_bpm * level for level in (1.0, *OTHER_LEVELS))
    return next((round(bpm, 2) for bpm in levels if abs(bpm / wanted - 1) <= TEMPO_TOLERANCE), None)


def _notes(key: str) -> frozenset[int] | None:
    """Return the pitch classes of a major or minor key; None for a key in another mode, which is not measured."""
    tonic, _, mode = key.partition(" ")
    if tonic not in NAMES or mode not in SCALES:
        return None
    return frozenset((NAMES.index(tonic) + step) % 12 for step in SCALES[mode])


def _heard_notes(heard: Analysis) -> frozenset[int] | None:
    return _notes(heard.key.name) if heard.key else None
