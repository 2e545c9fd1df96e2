"""The instrument table (instruments.yaml): names, families, ranges, and where each sound comes from."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from tunesmith.composer.theory import parse_pitch
from tunesmith.errors import UnknownName

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Layer:
    """A second sound under the first one.

    It is a ``program`` of the bank or, where named, a synthesiser ``patch``, at ``gain_db`` and ``semitones`` relative
    to the first.
    """

    program: int = 0
    patch: str = ""
    gain_db: float = 0.0
    semitones: int = 0


@dataclass(frozen=True, slots=True)
class Timbre:
    """Changes to a sampled sound; 0 leaves it as recorded.

    ``low_pass_hz`` and ``high_pass_hz`` are cutoffs, ``body_db`` boosts an octave around ``body_hz`` and
    ``presence_db`` the range around 3 kHz; ``drive_db`` goes into a distortion with a speaker cabinet after it;
    ``softness`` 0–1 imitates a softer attack; ``attack`` and ``release`` in seconds replace the bank's;
    ``vibrato_cents`` is the depth of the vibrato on held notes.
    """

    low_pass_hz: float = 0.0
    high_pass_hz: float = 0.0
    body_hz: float = 0.0
    body_db: float = 0.0
    presence_db: float = 0.0
    drive_db: float = 0.0
    softness: float = 0.0
    attack: float = 0.0
    release: float = 0.0
    vibrato_cents: float = 0.0


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument and its sound.

    ``source`` is ``bank`` (sampled; ``program`` is the General MIDI program 0–127, or the kit number of a drum kit) or
    ``synth`` (``patch`` names the synthesiser voice). ``low`` to ``high`` is the playable range in MIDI pitches,
    ``polyphony`` the number of notes that can sound at once. ``layers`` sound along with it, ``timbre`` changes a
    sampled sound, ``level_db`` matches its loudness to the others. ``sample_program`` is the program to play where
    another one than ``program`` sounds better.
    """

    name: str
    family: str
    source: str
    program: int = 0
    patch: str = ""
    low: int = 0
    high: int = 127
    polyphony: int = 64
    title: str = ""
    layers: tuple[Layer, ...] = ()
    timbre: Timbre = Timbre()
    level_db: float = 0.0
    sample_program: int | None = None

    @property
    def bank_program(self) -> int:
        """The program of the bank whose samples play."""
        return self.program if self.sample_program is None else self.sample_program

    @property
    def is_kit(self) -> bool:
        """Whether the pitches are drums, not tones."""
        return self.family == "drums"

    def into_range(self, pitch: int) -> int:
        """Return the pitch, moved by octaves into the range."""
        while pitch > self.high:
            pitch -= 12
        while pitch < self.low:
            pitch += 12
        return pitch


@functools.cache
def instruments() -> Mapping[str, Instrument]:
    """Return the instrument table by name."""
    text = (resources.files("tunesmith.composer") / "instruments.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = yaml.load(text, Loader=Loader)  # noqa: S506  CSafeLoader is safe
    levels = (resources.files("tunesmith.composer") / "sounds" / "levels.yaml").read_text(encoding="utf-8")
    levels_db: dict[str, float] = yaml.load(levels, Loader=Loader) or {}  # noqa: S506  CSafeLoader is safe
    # Levels are measured, not written by a person, so they have a file of their own.
    return {name: _instrument(name, row, levels_db.get(name, 0.0)) for name, row in rows.items()}


def _instrument(name: str, row: Mapping[str, Any], level_db: float) -> Instrument:
    low, high = (parse_pitch(pitch) for pitch in row.get("range", "C-1 G9").split())
    source = "synth" if "patch" in row else "bank"
    rest = {
        key: value
        for key, value in row.items()
        if key in ("family", "program", "sample_program", "patch", "polyphony", "title")
    }
    layers = tuple(Layer(**layer) for layer in row.get("layers", ()))
    timbre = Timbre(**row.get("timbre", {}))
    return Instrument(
        name=name, source=source, low=low, high=high, layers=layers, timbre=timbre, level_db=level_db, **rest
    )


def instrument(name: str) -> Instrument:
    """Return an instrument by name; raise UnknownName with the nearest names where there is none."""
    table = instruments()
    if name not in table:
        raise UnknownName("instrument", name, table)
    return table[name]
