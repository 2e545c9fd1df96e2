"""Defaults for what a prompt leaves open, drawn from the genre by seed and mood: tempo, key, meter, length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.composer.brief import Mood
from tunesmith.composer.genre import Genre
from tunesmith.composer.rng import choice_for, rng_for
from tunesmith.composer.theory import MINOR_LIKE, Key, Meter

COMFORTABLE_TONICS: Mapping[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 10, 3),
    "minor": (9, 4, 2, 11, 0, 7, 5),
}
# Keys with open strings.
GUITAR_TONICS: Mapping[str, tuple[int, ...]] = {"major": (7, 2, 9, 4, 0), "minor": (4, 9, 2, 11)}
# Keys with flats.
HORN_TONICS: Mapping[str, tuple[int, ...]] = {"major": (5, 10, 3, 8, 0), "minor": (0, 7, 2, 5, 10)}
# Keys in which the sub-bass lies where loudspeakers carry it.
CLUB_TONICS: Mapping[str, tuple[int, ...]] = {"major": (5, 7, 9, 0), "minor": (5, 6, 7, 9, 4)}
TONICS_OF_FAMILY: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(("folk", "rock", "blues", "reggae"), GUITAR_TONICS),
    **dict.fromkeys(("jazz", "band", "soul", "latin"), HORN_TONICS),
    **dict.fromkeys(("dance", "electronic", "hip_hop"), CLUB_TONICS),
}
"""Tonics that suit the players of each genre family; the other families take COMFORTABLE_TONICS."""
DEFAULT_SECONDS = {"track": 30.0, "bed": 30.0, "sting": 4.0, "bumper": 8.0}
LOOP_SECONDS = 24.0
LOOP_BARS = (2, 4, 8, 12, 16, 24, 32)


@dataclass(frozen=True, slots=True)
class TempoChoice:
    """A tempo in felt beats per minute, whether it is exactly the requested one, and how far it may move."""

    bpm: float
    is_given: bool
    low: float
    high: float
    source: str
    because: str


def exact_tempo(bpm: float, source: str, because: str) -> TempoChoice:
    """Return a tempo that must not move."""
    return TempoChoice(bpm, True, bpm, bpm, source, because)


def tempo_within(low: float, high: float, because: str) -> TempoChoice:
    """Return a tempo that may lie anywhere in a requested range."""
    return TempoChoice(round((low + high) / 2), False, low, high, "prompt", because)


def placed_tempo(genre: Genre, place: float, because: str) -> TempoChoice:
    """Return the tempo at a place in the genre's range: 0 is low, 0.5 typical, 1 high; a little beyond is allowed."""
    # The typical tempo is rarely the middle of the range, so each half has its own scale.
    span = genre.tempo
    low, high = (span.low, span.typical) if place < 0.5 else (span.typical, span.high)
    bpm = low + (high - low) * (place * 2 if place < 0.5 else place * 2 - 1)
    # "Very slow" may leave the usual range, but not by so much that the genre is lost.
    bpm = round(min(max(bpm, span.low * 0.85), span.high * 1.12))
    near = (min(bpm, span.low), span.typical) if place < 0.5 else (span.typical, max(bpm, span.high))
    if place == 0.5:
        near = (span.low, span.high)
    return TempoChoice(float(bpm), False, *near, "prompt", because)


def drawn_tempo(genre: Genre, mood: Mood, seed: int) -> TempoChoice:
    """Draw a tempo near the genre's typical one, moved by how lively the mood is."""
    span = genre.tempo
    # Not keyed by the genre: where in its range a piece lies stays when the genre changes.
    move = 0.5 * (mood.arousal - genre.arousal) + 0.3 * float(rng_for(seed, "brief", "tempo").uniform(-1, 1))
    move = max(-1.0, min(1.0, move))
    bpm = span.typical + move * (span.high - span.typical if move > 0 else span.typical - span.low)
    because = f"usual for {genre.title} is {span.low:g} to {span.high:g}, here moved by the mood"
    return TempoChoice(float(round(bpm)), False, span.low, span.high, "genre", because)


def drawn_mode(genre: Genre, mood: Mood, seed: int) -> str:
    """Draw one of the genre's modes; the darker the mood is for the genre, the likelier a minor one."""
    tilt = mood.valence - genre.valence + 0.5 * mood.valence
    weights = {
        # Exponential weights tilt the odds smoothly and never rule out a mode of the genre.
        mode: weight * (4.0 ** (-tilt if mode in MINOR_LIKE or mode == "blues" else tilt))
        for mode, weight in genre.modes.items()
        if weight > 0
    }
    return _drawn(weights or {"major": 1.0}, seed, "mode")


def drawn_tonic(genre: Genre, mode: str, seed: int) -> int:
    """Draw a tonic that suits the genre's players in this mode."""
    tonics = TONICS_OF_FAMILY.get(genre.family, COMFORTABLE_TONICS)["minor" if mode in MINOR_LIKE else "major"]
    # Each tonic has a draw of its own, so that the same one wins in major and minor where both lists have it.
    return choice_for(seed, "brief", "tonic", options=tonics)


def drawn_meter(genre: Genre, seed: int) -> Meter:
    """Draw one of the genre's meters by weight."""
    return Meter.parse(_drawn(genre.meters, seed, "meter"))


def _drawn(weights: Mapping[str, float], seed: int, purpose: str) -> str:
    return choice_for(seed, "brief", purpose, options=list(weights), weights=list(weights.values()))


def key_of(genre: Genre, mood: Mood, seed: int, tonic: int | None, mode: str | None) -> Key:
    """Return the key, with tonic and mode drawn where they are None."""
    chosen = mode or drawn_mode(genre, mood, seed)
    return Key(drawn_tonic(genre, chosen, seed) if tonic is None else tonic, chosen)


def loop_bars(bpm: float, meter: Meter) -> int:
    """Return the number of bars nearest to the usual length of a loop."""
    bar = meter.beats_per_bar / meter.felt_beat * 60 / bpm
    return min(LOOP_BARS, key=lambda bars: abs(bars * bar - LOOP_SECONDS))
