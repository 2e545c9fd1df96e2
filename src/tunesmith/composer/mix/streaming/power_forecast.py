"""A forecast of a piece's loudness from its score: the K-weighted power of the mix before it is rendered.

Every voice has one level (sound/voice.py), so a note's power follows from its velocity, its part's gain, and the gain
of strip and bus at its pitch; the notes of a mix add up in power.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.mix.channel_strips import STRIPS
from tunesmith.composer.mix.eq_response import response
from tunesmith.composer.mix.mixer import HEADROOM_DB, bus_response
from tunesmith.composer.mix.reverb import reverb_gains
from tunesmith.composer.mix.section_faders import FIXED_ROLES
from tunesmith.composer.mix.spectra import VELOCITY_EXPONENT
from tunesmith.composer.mix.tone import BusTone, tone_of
from tunesmith.composer.render import audible_parts
from tunesmith.composer.render.note_fall import fall_of
from tunesmith.composer.score import Note, Part, Score
from tunesmith.composer.sound.voice import TARGET_LEVEL_DB

BIN_SECONDS = 0.1
"""The resolution of the forecast, that of the loudness gate's steps."""

GRID = 8192
"""The size of the FFT whose bins the gains of strip and bus are read from."""

DRUM_SECONDS = 0.2
LOUD_DRUMS, LOUD_DRUM_DB, OTHER_DRUM_DB = frozenset({35, 36, 38, 40}), 6.0, -6.0
SYNTH_KIT_DB, SYNTH_BASS_DB = -5.0, -4.5
OFF_LEVEL_DB: Mapping[str, float] = {"synth": 2.5, "mallets": 3.0, "effects": 4.0}
"""By how many decibels families are louder than the level of all voices, on average: measured in ten pieces."""

RINGING_SECONDS: Mapping[str, float] = {
    "keys": 1.2, "mallets": 0.7, "guitar": 1.0, "plucked": 0.7, "bass": 1.2, "percussion": 0.3, "effects": 0.6,
}  # fmt: skip
"""The time constant of the decay of families that ring; the others hold their tone."""

FALL_SHARE = 0.35
"""The share of a note's fall by which its mean level is lower."""

DRUM_HZ: Mapping[int, float] = {35: 55, 36: 55, 41: 150, 43: 180, 45: 220, 47: 260, 48: 300, 50: 340, 38: 900, 40: 900}
OTHER_DRUM_HZ = 6000.0

# (bins,)
Powers = npt.NDArray[np.float64]


def power_forecast(score: Score, intensity: float | None = None) -> Powers:
    """Return the K-weighted power of the pre-master, summed over both channels, in bins of BIN_SECONDS."""
    bins = np.zeros(int(np.ceil(score.duration / BIN_SECONDS)) + 1)
    tone = tone_of(score.mix)
    for part in audible_parts(score, intensity):
        _add_part(bins, score, part, tone)
    return bins


def _add_part(bins: Powers, score: Score, part: Part, tone: BusTone) -> None:
    if not part.notes:
        return
    played = instrument(part.instrument)
    starts = np.array([score.tempo_map.seconds_at(note.start) for note in part.notes])
    ends = np.array([score.tempo_map.seconds_at(note.end) for note in part.notes])
    levels = _levels(part, played, _gains(part.role, score, tone)) * _faders(part, score)
    ringing = DRUM_SECONDS if played.is_kit else RINGING_SECONDS.get(played.family, np.inf)
    lengths = np.full(len(starts), DRUM_SECONDS) if played.is_kit else ends - starts + 0.1
    # The energy of a tone that decays, spread over the time that carries most of it.
    if np.isfinite(ringing) and not played.is_kit:
        lengths = ringing / 2 * (1 - np.exp(-2 * lengths / ringing)) * 1.6
    _spread(bins, starts / BIN_SECONDS, lengths / BIN_SECONDS, levels)


def _spread(bins: Powers, starts: Powers, lengths: Powers, levels: Powers) -> None:
    """Add a constant level from each start for each length, both in bins: by the difference of running sums."""
    edges = np.zeros(len(bins) + 2)
    for places, signs in ((starts, levels), (starts + lengths, -levels)):
        places = np.clip(places, 0, len(bins))
        whole = places.astype(np.int64)
        # An edge within a bin counts for the rest of the bin.
        part = places - whole
        np.add.at(edges, whole, signs * (1 - part))
        np.add.at(edges, np.minimum(whole + 1, len(edges) - 1), signs * part)
    bins += np.maximum(0.0, np.cumsum(edges)[: len(bins)])


def _levels(part: Part, played: Instrument, gains: Powers) -> Powers:
    """Return the power of each note in the mix, (notes,); ``gains`` are the mixer's, (GRID // 2 + 1,)."""
    velocity = np.array([note.velocity for note in part.notes], np.float64)
    gain_db = np.full(len(velocity), TARGET_LEVEL_DB + part.gain_db)
    if played.is_kit:
        gain_db += [LOUD_DRUM_DB if note.pitch in LOUD_DRUMS else OTHER_DRUM_DB for note in part.notes]
        gain_db += SYNTH_KIT_DB if played.source == "synth" else 0.0
    elif part.role == "bass" and played.source == "synth":
        gain_db += SYNTH_BASS_DB
    else:
        gain_db += OFF_LEVEL_DB.get(played.family, 0.0)
    fall = fall_of(part.role, played)
    gain_db -= 0.0 if fall is None else FALL_SHARE * fall.decibels
    power = 2 * 10 ** (gain_db / 10) * (velocity / 100) ** VELOCITY_EXPONENT
    frequency = np.array([_frequency(note, played) for note in part.notes])
    places = np.clip(np.rint(frequency * GRID / 44_100).astype(np.int64), 1, GRID // 2)
    return power * gains[places]


def _faders(part: Part, score: Score) -> Powers:
    """Return the power gain of each note's section, (notes,)."""
    if part.role in FIXED_ROLES or not any(section.gain_db for section in score.sections):
        return np.ones(len(part.notes))
    # A note that rings into the next section counts where it starts: what is left of it is soft.
    borders = [section.bar * score.meter.beats_per_bar for section in score.sections[1:]]
    gains = np.array([10 ** (section.gain_db / 10) for section in score.sections])
    return np.asarray(gains[np.searchsorted(borders, [note.start for note in part.notes], side="right")])


def _frequency(note: Note, played: Instrument) -> float:
    if played.is_kit:
        return DRUM_HZ.get(note.pitch, OTHER_DRUM_HZ)
    # An octave above the fundamental, where K-weighting hears most of a tone.
    return min(8000.0, 880.0 * 2 ** ((note.pitch - 69) / 12))


def _gains(role: str, score: Score, tone: BusTone) -> Powers:
    """Return the power gain of a role's strip, its reverbs and the bus, (GRID // 2 + 1,)."""
    strip, (room, hall) = STRIPS[role], reverb_gains(score.mix)
    dry = response(strip.bands, GRID) * bus_response(score.mix.brightness_db, tone, GRID)
    power = np.abs(dry) ** 2 * 10 ** ((strip.gain_db + HEADROOM_DB) / 10)
    # The responses of the reverbs have energy 1.
    return np.asarray(power * (1 + (room * strip.room) ** 2 + (hall * strip.hall) ** 2), np.float64)
