"""Fills and build-ups: the drums where one section leads into the next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tunesmith.composer.drum_names import VELOCITIES
from tunesmith.composer.genre import Groove
from tunesmith.composer.rng import weighted_choice
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.drums.groove import Bar, DrumHit, bars_of, is_triplet, unique

GENERIC_FILLS: tuple[tuple[tuple[float, float], Mapping[str, str]], ...] = (
    ((0.0, 0.5), {"snare": "..o.x..."}),
    ((0.0, 0.5), {"snare": "....o.xx"}),
    ((0.0, 0.6), {"snare": "......o.", "tom_low": "....x..."}),
    ((0.3, 0.8), {"snare": "x.xx....", "tom_mid": "....x.x.", "kick": "x......."}),
    ((0.3, 0.8), {"snare": "..x.x.xX", "kick": "x..x...."}),
    ((0.3, 1.0), {"snare": "X.gx.x..", "tom_low": "......xX"}),
    ((0.5, 1.0), {"snare": "xxxx....", "tom_mid": "....xx..", "tom_low": "......xX", "kick": "X...x..."}),
    ((0.5, 1.0), {"snare": "X.oxX.ox", "kick": "..x...x."}),
    ((0.6, 1.0), {"tom_high": "Xxx.....", "tom_mid": "...xxx..", "tom_low": "......Xx", "kick": "X..x..x."}),
)  # fmt: skip
"""(section energies, two beats of sixteenths per drum); in compound meters six steps fill them."""
FILL_STEPS = 8
FILL_BEATS = 2.0
SMALL_DRUMS = ("snare", "rim", "brush_tap", "taiko", "timpani", "conga_high", "conga_low", "tom_low")


def fill_bar(random: np.random.Generator, groove_bar: Bar, fills: Sequence[Groove], meter: Meter, energy: float) -> Bar:
    """Return ``groove_bar`` with a fill in its last half, or a fill of the genre's own in its place."""
    suited = [fill for fill in fills if fill.meter == str(meter) and fill.energy[0] <= energy <= fill.energy[1]]
    if suited:
        return weighted_choice(random, bars_of(weighted_choice(random, suited), meter))
    return _with_tail(random, groove_bar, meter, energy)


def _with_tail(random: np.random.Generator, bar: Bar, meter: Meter, energy: float) -> Bar:
    length = _tail_length(meter)
    at = meter.beats_per_bar - length
    voices = {hit.drum for hit in bar}
    patterns = [patterns for (low, high), patterns in GENERIC_FILLS if low <= energy <= high]
    chosen = weighted_choice(random, patterns)
    count = 6 if meter.is_compound or is_triplet(bar) else FILL_STEPS
    unit = (length if meter.is_compound else FILL_BEATS) / count
    # A bar of two beats has room for the end of a fill only.
    skipped = count - round(length / unit)
    steps = [
        DrumHit(at + step * unit, _voice(drum, voices), VELOCITIES[mark])
        for drum, text in chosen.items()
        for step, mark in enumerate(text[skipped:])
        if mark in VELOCITIES and at + step * unit < meter.beats_per_bar - 1e-6
    ]
    # The groove stops where the fill begins: one drummer cannot play both.
    kept = [hit for hit in bar if hit.start < at - 1e-6]
    return unique([*kept, *steps])


def _tail_length(meter: Meter) -> float:
    # Up to two felt beats, but never a whole bar of 6/8 or of a short meter: the downbeat stays.
    if meter.is_compound:
        return 2 * meter.felt_beat if meter.numerator > 6 else meter.felt_beat
    return max(0.5, float(math.floor(min(FILL_BEATS, meter.beats_per_bar - 0.5))))


def _voice(drum: str, voices: set[str]) -> str:
    """Return the drum of the groove that plays a drum of the fill, where the groove is no full kit."""
    if voices & {"snare", "clap"} or drum == "kick":
        return drum if drum != "snare" or "snare" in voices else "clap"
    speaking = [name for name in SMALL_DRUMS if name in voices]
    if "brush_tap" in voices:
        return "brush_tap" if drum == "snare" else drum
    return speaking[("snare", "tom_high", "tom_mid", "tom_low").index(drum) % len(speaking)] if speaking else drum


def small_fill(random: np.random.Generator, bar: Bar, meter: Meter) -> Bar:
    """Return the bar with a few soft strokes on its last beat."""
    voices = [drum for drum in SMALL_DRUMS if any(hit.drum == drum for hit in bar)]
    if not voices:
        return bar
    pulse = meter.felt_beat
    at = meter.beats_per_bar - pulse
    # Sixteenths inside a triplet groove would stumble, so the unit follows the groove.
    third = pulse / 3 if meter.is_compound or is_triplet(bar) else pulse / 4
    steps = weighted_choice(random, ((1, 3), (2, 3), (3,), (1, 2, 3), (2,)))
    extra = [DrumHit(at + step * third, voices[0], (54, 66, 78)[i % 3])
             for i, step in enumerate(steps) if step * third < pulse]  # fmt: skip
    return unique([*bar, *extra])


def roll_up(bars: int, meter: Meter, voices: set[str]) -> tuple[Bar, ...]:
    """Return a build-up of ``bars`` bars: a roll that doubles its pace and grows, with the last beat open.

    The snare rolls, or what stands in for it among the groove's ``voices``.
    """
    drum = _voice("snare", voices)
    total = bars * meter.beats_per_bar
    hits: list[list[DrumHit]] = [[] for _ in range(bars)]
    at = 0.0
    # The silent last beat makes the following downbeat land harder.
    while at < total - meter.felt_beat + 1e-6:
        progress = at / total
        bar = min(int(at / meter.beats_per_bar + 1e-6), bars - 1)
        hits[bar].append(DrumHit(at - bar * meter.beats_per_bar, drum, round(48 + 68 * progress)))
        at += _pace(progress, meter)
    return tuple(tuple(bar) for bar in hits)


def _pace(progress: float, meter: Meter) -> float:
    pulse = meter.felt_beat
    if meter.is_compound:
        return pulse if progress < 0.5 else pulse / 3
    return pulse if progress < 0.5 else pulse / 2 if progress < 0.75 else pulse / 4
