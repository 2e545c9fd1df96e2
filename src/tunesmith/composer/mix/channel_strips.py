"""Channel strips: the EQ, level, reverb and ducking of each role before the sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.composer.instruments import instrument
from tunesmith.composer.mix.eq_response import Band
from tunesmith.composer.score import Part


@dataclass(frozen=True, slots=True)
class Strip:
    """A channel strip: EQ ``bands``, ``gain_db``, reverb sends relative to the score's, and its share of the ducking.

    ``duck`` is 0–1.
    """

    bands: tuple[Band, ...]
    gain_db: float = 0.0
    room: float = 1.0
    hall: float = 1.0
    duck: float = 0.0


def _strip(low_cut: float, *bands: Band, gain_db: float, room: float, hall: float, duck: float = 0.0) -> Strip:
    # Every strip has a low cut: below its range, an instrument gives only noise.
    return Strip((Band("high_pass", low_cut), *bands), gain_db, room, hall, duck)


STRIPS: Mapping[str, Strip] = {
    # A lead in background music is one voice among the others: quieter and darker than a soloist.
    "melody": _strip(
        140, Band("peak", 1000, -1, 0.7), Band("peak", 2800, -3, 0.7), Band("high_shelf", 9000, 1),
        gain_db=-10, room=0.9, hall=1.2, duck=0.4,
    ),
    "counter": _strip(
        160, Band("peak", 1000, -2, 0.7), Band("peak", 2500, -3.5, 0.8), Band("high_shelf", 9000, 1),
        gain_db=-12, room=1.0, hall=1.3, duck=0.6,
    ),
    "chords": _strip(
        90, Band("peak", 1000, -2.5, 0.7), Band("peak", 2700, -4, 0.6), Band("high_shelf", 9000, 1),
        gain_db=-8, room=1.0, hall=0.8, duck=0.8,
    ),
    "pad": _strip(
        110, Band("peak", 1000, -2, 0.7), Band("high_shelf", 3000, -3),
        gain_db=-10, room=0.5, hall=1.3, duck=1.0,
    ),
    "arpeggio": _strip(
        160, Band("peak", 1100, -2, 0.7), Band("peak", 2500, -2.5, 0.7), Band("high_shelf", 9000, 1),
        gain_db=-10.5, room=0.9, hall=1.0, duck=0.7,
    ),
    "bass": _strip(
        32, Band("low_shelf", 110, 2), Band("high_shelf", 2500, -6),
        gain_db=-5, room=0.08, hall=0.0, duck=0.8,
    ),
    "drone": _strip(28, Band("high_shelf", 2500, -4), gain_db=-8, room=0.3, hall=1.2, duck=0.6),
    "drums": _strip(
        28, Band("low_shelf", 90, 2), Band("peak", 420, -2, 0.8), Band("high_shelf", 5500, -5),
        gain_db=-6.5, room=0.8, hall=0.35,
    ),
    "percussion": _strip(70, Band("high_shelf", 5500, -5), gain_db=-10, room=1.0, hall=0.6),
    "effects": _strip(60, Band("high_shelf", 5000, -3), gain_db=-12, room=0.4, hall=1.0, duck=0.3),
}  # fmt: skip
"""A strip for every role in score.ROLES."""

SWEPT_FAMILIES = frozenset({"synth", "pads"})


ECHOED_ROLES = frozenset({"melody", "counter", "arpeggio"})
ECHOED_FAMILIES = frozenset({"synth", "pads", "mallets", "keys"})


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel of a part: the strip of its ``role``, and what is on it.

    ``swept`` is the low-pass of quiet sections, ``echoed`` the echo in time with the music.
    """

    role: str
    swept: bool
    echoed: bool


def channel_of(part: Part) -> Channel:
    """Return the channel of ``part``; parts of one channel are summed before processing."""
    played = instrument(part.instrument)
    # Only electronic parts: acoustic instruments and the bass keep their brightness.
    electronic = played.source == "synth" and played.family in SWEPT_FAMILIES
    echoed = played.source == "synth" and played.family in ECHOED_FAMILIES and part.role in ECHOED_ROLES
    return Channel(part.role, electronic and part.role != "bass", echoed)
