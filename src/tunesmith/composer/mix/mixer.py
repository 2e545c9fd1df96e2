"""The mixer: every stem through its strip and both reverbs to the stereo bus, as one product of spectra per block.

    stem ─ fader ─ duck ─ sweep ─ FFT ─ × (EQ · gain · (1 + room + hall + echo)) ─┐
    stem ─ …                                                                      ├─ + ─ bus ─ inverse FFT
                                                                                  ┘
The bus is an EQ, mono lows and the width.
All of it is linear, so a stem sent through alone is its exact share of the mix, reverb included.
"""

from __future__ import annotations

import functools

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.fourier import irfft, next_fast_len, rfft
from tunesmith.composer.mix.automation import Sweep, SweptFilter
from tunesmith.composer.mix.channel_strips import STRIPS, Channel
from tunesmith.composer.mix.ducking import Ducker
from tunesmith.composer.mix.echo import SEND, echo_delay, echo_response
from tunesmith.composer.mix.eq_response import Band, Response, response
from tunesmith.composer.mix.octaves import octave_response
from tunesmith.composer.mix.reverb import LONGEST_TAIL, reverb_gains, reverb_response
from tunesmith.composer.mix.section_faders import FIXED_ROLES, SectionFaders
from tunesmith.composer.mix.tone import BusTone, tone_of
from tunesmith.composer.render.stems import StemBlock
from tunesmith.composer.score import Score

OVERLAP = LONGEST_TAIL + 8192
"""Samples by which a block overlaps the next: the longest reverb, and the decay of the EQs."""

TOGETHER = 4
"""Stems transformed at once: as many as fill the processor's vectors."""

TILT_PIVOT = 1000.0

HEADROOM_DB = -5.0
"""The gain that keeps the peaks of a full band's stems and pre-master below full scale."""


def bus_response(brightness_db: float, tone: BusTone, size: int) -> Response:
    """Return the response of the bus to what is in its middle: a tilt, the tone, and no DC."""
    bands = (
        Band("high_pass", 22),
        Band("low_shelf", TILT_PIVOT / 4, -brightness_db / 4, 0.5),
        Band("high_shelf", TILT_PIVOT * 3, brightness_db, 0.5),
    )
    return np.asarray(response(bands, size) * octave_response(tone.octaves_db, size), np.complex64)


# As many as one piece has roles: at 2 MB each, more would cost more memory than time.
@functools.lru_cache(maxsize=12)
def strip_response(role: str, room: float, hall: float, size: int, echo: int = 0) -> Response:
    """Return the response of a role's strip with its reverbs, (2, bins), and an ``echo`` of some samples (0: none)."""
    strip = STRIPS[role]
    dry = response(strip.bands, size) * np.float32(10 ** ((strip.gain_db + HEADROOM_DB) / 20))
    space = np.ones((2, len(dry)), np.complex64)
    for name, send in (("room", room * strip.room), ("hall", hall * strip.hall)):
        if send > 0:
            space += reverb_response(name, size) * np.float32(send)
    if echo and hall > 0:
        space += echo_response(echo, size) * np.float32(hall * SEND)
    # All of it is linear, so one product per stem stands for strip, room, hall and echo.
    return np.asarray(dry * space, np.complex64)


@functools.lru_cache(maxsize=4)
def bus_responses(brightness_db: float, width: float, tone: BusTone, size: int) -> tuple[Response, Response]:
    """Return the responses of the bus to mid and side: a tilt and a tone, no DC, and mono lows under wide highs."""
    mid = bus_response(brightness_db, tone, size)
    # Lows in the side channel cancel on mono speakers and waste headroom.
    narrow = response((Band("high_pass", 120),), size) * octave_response(tone.sides_db, size)
    return mid, np.asarray(mid * narrow * np.float32(width), np.complex64)


class Mixer:
    """A mixer of the dry stems of ``score``, block by block; the tone of the bus is that of all its parts."""

    def __init__(self, channels: tuple[Channel, ...], score: Score, ducker: Ducker, sweep: Sweep) -> None:
        self._channels = channels
        self._settings = score.mix
        self._tone = tone_of(score.mix)
        self._echo = echo_delay(score)
        self._faders = SectionFaders(score)
        self._ducker = ducker
        self._sweep = sweep
        swept = sweep.active
        self._filters = tuple(SweptFilter() if swept and channel.swept else None for channel in channels)
        self._size = 0

    def mix(self, stems: StemBlock, start: int) -> Samples:
        """Return the mix of ``stems``, (stems, 2, n) from sample ``start``: (2, n + OVERLAP), to be overlap-added.

        ``stems`` may be overwritten. Blocks must come in order.
        """
        length = stems.shape[2]
        # The first block is the longest, and a shorter last one keeps its size: responses are computed only once.
        self._size = self._size or next_fast_len(length + OVERLAP)
        size = self._size + self._size % 2
        self._automate(stems, start)
        room, hall = reverb_gains(self._settings)
        total = np.zeros((2, size // 2 + 1), np.complex64)
        # Only the spectra of a few stems exist at a time; their sum needs one inverse FFT.
        for first in range(0, len(stems), TOGETHER):
            spectra = rfft(stems[first : first + TOGETHER], size)
            for channel, spectrum in zip(self._channels[first : first + TOGETHER], spectra, strict=True):
                spectrum *= strip_response(channel.role, room, hall, size, self._echo if channel.echoed else 0)
                total += spectrum
        mixed = irfft(self._bus(total, size), size)
        return np.asarray(mixed[:, : length + OVERLAP], np.float32)

    def _automate(self, stems: StemBlock, start: int) -> None:
        stop = start + stems.shape[2]
        fader = self._faders.gain(start, stop) if self._faders.active else None
        closed = self._sweep.closed(start, stop) if any(self._filters) else None
        # Automation changes the gain over time, so it must come before the FFT.
        for channel, stem, swept in zip(self._channels, stems, self._filters, strict=True):
            # Before the reverbs, which ring on when the section is over.
            if fader is not None and channel.role not in FIXED_ROLES:
                stem *= fader
            share = STRIPS[channel.role].duck
            if self._ducker.active and share > 0:
                stem *= self._ducker.gain(start, stop, share)
            if swept is not None and closed is not None:
                swept.apply(stem, closed)

    def _bus(self, total: Response, size: int) -> Response:
        mid_response, side_response = bus_responses(
            self._settings.brightness_db, self._settings.width, self._tone, size
        )
        mid = (total[0] + total[1]) * (mid_response * np.float32(0.5))
        side = (total[0] - total[1]) * (side_response * np.float32(0.5))
        return np.stack((mid + side, mid - side))
