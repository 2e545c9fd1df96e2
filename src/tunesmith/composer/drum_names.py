"""Drum names and their General MIDI keys: grooves name drums, notes carry keys."""

from __future__ import annotations

from collections.abc import Mapping

DRUM_KEYS: Mapping[str, int] = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "tom_low": 41, "hat": 42, "pedal_hat": 44, "tom_mid": 45,
    "open_hat": 46, "tom_high": 48, "crash": 49, "ride": 51, "ride_bell": 53, "tambourine": 54, "cowbell": 56,
    "bongo_high": 60, "bongo_low": 61, "conga_mute": 62, "conga_high": 63, "conga_low": 64, "timbale_high": 65,
    "timbale_low": 66, "agogo_high": 67, "agogo_low": 68, "cabasa": 69, "shaker": 82, "guiro": 73, "clave": 75,
    "woodblock": 76, "triangle": 81, "brush_tap": 38, "brush_swirl": 40, "snap": 26, "taiko": 35, "timpani": 43,
}  # fmt: skip
"""General MIDI percussion keys. The last five use keys whose own GM drum is the nearest relative."""

VELOCITIES: Mapping[str, int] = {"X": 116, "x": 92, "o": 70, "g": 42}
