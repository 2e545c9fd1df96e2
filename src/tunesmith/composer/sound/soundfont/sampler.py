"""The sampler: a voice that plays one program of a sound bank.

A tone sounds every region that covers its key and velocity:
sample ─► loop unrolled, resampled, filtered (repitch.py, cached) ─► bend ─► envelope × gain ─► pan ─► sum
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import Timbre
from tunesmith.composer.rng import share
from tunesmith.composer.sound.lru_cache import Floats
from tunesmith.composer.sound.note_colour import colour
from tunesmith.composer.sound.soundfont.envelope import modulation_envelope, volume_envelope
from tunesmith.composer.sound.soundfont.generators import Gen
from tunesmith.composer.sound.soundfont.pitch_bend import VIBRATO_HZ, Bend, read_at
from tunesmith.composer.sound.soundfont.repitch import OPEN_CUTOFF, Pitching, pitched, quantised_cutoff
from tunesmith.composer.sound.soundfont.soundfont import KIT_BANK, SoundFont
from tunesmith.composer.sound.soundfont.zones import Region
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone

ATTENUATION_SCALE = 0.4
"""The factor on the attenuation of zones: that of the hardware for which banks were made, and of players since."""

KIT_RELEASE = 0.25
LONGEST_RING = 6.0
SILENT_GAIN = 1e-6
# In cents.
SMALLEST_SWEEP = 100
# Share of the modulation envelope's decay.
AUDIBLE_FALL = 0.05


OTHER_SAMPLE = 0.35
"""The share of notes that play the sample of the neighbouring key zone where the bank has one near enough."""

DECAYING_DB = 15.0
"""The fall after which a sound counts as struck or plucked: of a sustained one, the onset is heard least."""

FARTHEST_ZONE = 4
"""Semitones by which a note may lie outside the zone of the other sample."""

DRUM_CENTS = (0.0, 14.0, -11.0, 6.0, -18.0, 22.0)
"""The pitches of a drum's hits. Tones do not vary: a melody note that is 10 cents off sounds out of tune."""

LATEST_START, SOFT_START = 40, 110
"""Samples of the onset that are skipped at most, and how many more at the softest velocity: soft attacks are round."""

CUTOFF_SPREAD = 600.0
"""The range of chance, in cents, of a note's brightness; as wide as a step, so that few waveforms are needed."""


@dataclass(frozen=True, slots=True)
class NoteVariation:
    """How a note differs from others of its kind: ``cents``, ``cutoff`` in cents, ``first`` samples skipped."""

    cents: float
    cutoff: float
    first: int

    @classmethod
    def of(cls, tone: Tone, *, is_kit: bool) -> NoteVariation:
        """Return the variation that the tone's chance draws; none for a chance of 0."""
        if not tone.chance:
            return cls(0.0, 0.0, 0)
        where, pitch, bright = (share(tone.chance, index) for index in (0, 1, 3))
        skipped = LATEST_START + SOFT_START * (1 - tone.velocity / 127)
        cents = DRUM_CENTS[int(pitch * len(DRUM_CENTS))] if is_kit else 0.0
        return cls(cents, (bright - 0.5) * CUTOFF_SPREAD, int(where * skipped))


class SampledVoice:
    """A program of a bank as a Voice; ``timbre`` changes its sound, ``gain`` is a linear factor."""

    def __init__(
        self, font: SoundFont, bank: int, program: int, timbre: Timbre | None = None, gain: float = 1.0
    ) -> None:
        self._font = font
        self._regions = font.regions(bank, program)
        self._timbre = timbre or Timbre()
        self._gain = gain
        self._is_kit = bank == KIT_BANK
        self._keys: dict[int, list[Region]] = {}
        self._strikes: dict[tuple[int, int, bool], list[tuple[Region, Mapping[int, float]]]] = {}

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples); one sample of silence if no region covers the tone."""
        strikes = [self._strike(region, settings, tone) for region, settings in self._answering(tone)]
        # Most tones are one region in the centre: a broadcast view instead of a stereo sum saves time and memory.
        if len(strikes) == 1 and strikes[0][1][0] == strikes[0][1][1]:
            only, (both, _) = strikes[0]
            return np.broadcast_to(only * np.float32(both), (2, len(only)))
        length = max((len(waveform) for waveform, _ in strikes), default=1)
        together = np.zeros((2, length), np.float32)
        for waveform, gains in strikes:
            for side, gain in zip(together, gains, strict=True):
                if gain > SILENT_GAIN:
                    side[: len(waveform)] += waveform if gain == 1 else waveform * np.float32(gain)
        return together

    def choke_group(self, pitch: int) -> int:
        """Return the choke group, of which only one drum sounds at a time (open and closed hat), or 0 for none."""
        groups = {region.generators.get(Gen.EXCLUSIVE_CLASS, 0) for region in self._at_key(pitch)}
        return max(groups, default=0)

    def plays(self, pitch: int) -> bool:
        """Return whether any region covers this key."""
        return bool(self._at_key(pitch))

    def _answering(self, tone: Tone) -> list[tuple[Region, Mapping[int, float]]]:
        # A softer velocity selects the softer recordings too, which a low-pass could not imitate.
        velocity = min(127, max(1, round(tone.velocity * (1 - 0.6 * self._timbre.softness))))
        other = not self._is_kit and 0 < share(tone.chance, 2) < OTHER_SAMPLE
        place = tone.pitch, velocity, other
        if place not in self._strikes:
            regions = self._sounding(tone.pitch, velocity)
            if other and all(_decays(region) for region in regions):
                regions = self._neighbours(tone.pitch, velocity, regions) or regions
            self._strikes[place] = [(region, region.settings(tone.pitch, velocity)) for region in regions]
        return self._strikes[place]

    def _sounding(self, pitch: int, velocity: int) -> list[Region]:
        at_key = self._at_key(pitch)
        return [region for region in at_key if region.velocities[0] <= velocity <= region.velocities[1]]

    def _neighbours(self, pitch: int, velocity: int, regions: Sequence[Region]) -> list[Region]:
        """Return the regions of the nearest other key zone that can stand in for ``regions``; [] if there is none."""
        if not regions:
            return []
        below, above = min(region.keys[0] for region in regions) - 1, max(region.keys[1] for region in regions) + 1
        for key in sorted((below, above), key=lambda key: abs(key - pitch)):
            others = self._sounding(key, velocity) if abs(key - pitch) <= FARTHEST_ZONE else []
            # As many, panned alike: a stereo pair is replaced by a pair.
            if others and _pans(others) == _pans(regions):
                return others
        return []

    def _at_key(self, pitch: int) -> list[Region]:
        if pitch not in self._keys:
            self._keys[pitch] = [region for region in self._regions if region.keys[0] <= pitch <= region.keys[1]]
        return self._keys[pitch]

    def _strike(self, region: Region, settings: Mapping[int, float], tone: Tone) -> tuple[Floats, tuple[float, float]]:
        """Return the mono waveform of one region, and its gains (left, right)."""
        nuance = NoteVariation.of(tone, is_kit=self._is_kit)
        release = self._timbre.release or (KIT_RELEASE if self._is_kit else 0.0)
        envelope = volume_envelope(settings, tone.pitch, self._timbre.attack, release)
        if self._is_kit:
            tone = replace(tone, seconds=self._ring(settings, tone, envelope.dies_after))
        waveform = self._waveform(settings, tone, nuance, tone.seconds + envelope.tail)
        gain = self._gain * 10 ** (-self._attenuation_db(region, settings) / 20)
        shaped = envelope.shape(waveform, tone.seconds, gain)
        colour(shaped, tone.chance)
        return shaped, _pan_gains(settings)

    def _ring(self, settings: Mapping[int, float], tone: Tone, dies_after: float) -> float:
        """Return the seconds until a drum is silent by itself: drums are struck, not held."""
        if _loops(settings):
            return min(LONGEST_RING, dies_after) if dies_after < math.inf else tone.seconds
        index = int(settings[Gen.SAMPLE])
        octaves = self._cents(index, settings, tone.pitch) / 1200
        length = len(self._font.waveform(index)) / self._font.sample(index).rate
        return min(LONGEST_RING, dies_after, length / 2**octaves)

    def _attenuation_db(self, region: Region, settings: Mapping[int, float]) -> float:
        """Return the attenuation in dB: that of the zones is scaled, that of the velocity is not."""
        own = region.generators.get(Gen.ATTENUATION, 0)
        return max(0.0, (ATTENUATION_SCALE * own + settings.get(Gen.ATTENUATION, 0) - own) / 10)

    def _waveform(self, settings: Mapping[int, float], tone: Tone, nuance: NoteVariation, seconds: float) -> Floats:
        length = round(seconds * SAMPLE_RATE) + 1
        bend = self._bend(settings, tone)
        moves = bend.moves(tone.seconds)
        positions = bend.positions(length) if moves else None
        # The interpolator reads two samples beyond the last position.
        needed = length if positions is None else int(positions.max()) + 4
        waveform = self._filtered(settings, tone, nuance, needed)
        if positions is None:
            return waveform
        return read_at(waveform, positions[: np.searchsorted(positions, len(waveform) - 3)])

    def _bend(self, settings: Mapping[int, float], tone: Tone) -> Bend:
        sway = self._timbre.vibrato_cents or abs(settings.get(Gen.VIBRATO_TO_PITCH, 0))
        # A vibrato that is the same on every note sounds mechanical; this one depends on the note's number alone.
        wander = 0.2 * math.sin(2.4 * tone.variation)
        return Bend(tone.glide, sway * (1 - wander), VIBRATO_HZ * (1 + wander / 4))

    def _filtered(self, settings: Mapping[int, float], tone: Tone, nuance: NoteVariation, length: int) -> Floats:
        """Return the filtered waveform; where the envelope moves the cutoff, crossfade both ends of its sweep."""
        cutoff, way = settings[Gen.CUTOFF] + nuance.cutoff, settings.get(Gen.MOD_ENV_TO_CUTOFF, 0)
        if abs(way) < SMALLEST_SWEEP or (cutoff >= OPEN_CUTOFF and way > 0):
            return self._pitched(settings, tone, nuance, (cutoff, length))
        moved = self._pitched(settings, tone, nuance, (cutoff + way, length))
        sweep = modulation_envelope(settings)
        # A short note ends before the sweep is heard, so one end of it is enough.
        if sweep.opens_at_once and sweep.hold + AUDIBLE_FALL * sweep.decay >= tone.seconds:
            return moved
        rest = self._pitched(settings, tone, nuance, (cutoff, length))
        curve = sweep.curve(tone.seconds)
        whole = min(len(rest), len(moved), length)
        blend = np.zeros(whole, np.float32)
        blend[: min(whole, len(curve))] = curve[:whole]
        blend *= moved[:whole] - rest[:whole]
        blend += rest[:whole]
        return blend

    def _pitched(
        self, settings: Mapping[int, float], tone: Tone, nuance: NoteVariation, goal: tuple[float, int]
    ) -> Floats:
        cutoff, length = goal
        index = int(settings[Gen.SAMPLE])
        first = settings.get(Gen.START, 0) + 32_768 * settings.get(Gen.START_COARSE, 0)
        pitching = Pitching(
            sample=index,
            cents=round(self._cents(index, settings, tone.pitch) + nuance.cents, 3),
            cutoff=quantised_cutoff(cutoff),
            resonance_db=round(max(0.0, settings.get(Gen.RESONANCE, 0)) / 10, 1),
            first=int(first),
            loops=_loops(settings),
            leaves_loop=tone.seconds if int(settings.get(Gen.LOOP_MODE, 0)) & 3 == 3 else None,
        )
        waveform = pitched(self._font, pitching, self._timbre, (length + nuance.first) / SAMPLE_RATE)
        # Skipping the onset varies repetitions; on very short notes it would cost too much of them.
        return waveform[nuance.first :] if tone.seconds > 0.05 else waveform

    def _cents(self, index: int, settings: Mapping[int, float], pitch: int) -> float:
        """Return the shift of the sample, in cents, to sound ``pitch``."""
        sample = self._font.sample(index)
        key = settings[Gen.FORCED_KEY] if settings[Gen.FORCED_KEY] >= 0 else pitch
        root = settings[Gen.ROOT_KEY] if settings[Gen.ROOT_KEY] >= 0 else sample.key
        tuning = 100 * settings.get(Gen.COARSE_TUNE, 0) + settings.get(Gen.FINE_TUNE, 0) + sample.correction
        return float((key - root) * settings[Gen.SCALE_TUNING] + tuning)


def _decays(region: Region) -> bool:
    return not _loops(region.generators) or region.generators.get(Gen.SUSTAIN, 0) / 10 >= DECAYING_DB


def _pans(regions: Sequence[Region]) -> list[int]:
    return sorted(region.generators.get(Gen.PAN, 0) for region in regions)


def _loops(settings: Mapping[int, float]) -> bool:
    return bool(int(settings.get(Gen.LOOP_MODE, 0)) & 1)


def _pan_gains(settings: Mapping[int, float]) -> tuple[float, float]:
    """Return the equal-power gains (left, right) for a pan of −500 to 500."""
    if not settings.get(Gen.PAN, 0):
        return math.sqrt(0.5), math.sqrt(0.5)
    angle = (min(500.0, max(-500.0, settings.get(Gen.PAN, 0))) / 1000 + 0.5) * math.pi / 2
    return math.cos(angle), math.sin(angle)
