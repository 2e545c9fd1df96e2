"""The instrument table: names, families, ranges and where each one's sound comes from (instruments.yaml)."""

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
class Instrument:
    """One instrument. ``source`` is ``bank`` (sampled; ``program`` is the General MIDI program 0–127, or the kit number
    for a drum kit) or ``synth`` (``patch`` names the synthesiser voice). ``low``–``high`` is its playable range (MIDI),
    ``polyphony`` how many notes it can sound at once."""

    name: str
    family: str
    source: str
    program: int = 0
    patch: str = ""
    low: int = 0
    high: int = 127
    polyphony: int = 64
    title: str = ""

    @property
    def is_kit(self) -> bool:
        """Whether its pitches are drums, not tones."""
        return self.family == "drums"


@functools.cache
def instruments() -> Mapping[str, Instrument]:
    """Return the whole table by name."""
    text = (resources.files("tunesmith.composer") / "instruments.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = yaml.load(text, Loader=Loader)  # noqa: S506  CSafeLoader is safe
    return {name: _instrument(name, row) for name, row in rows.items()}


def _instrument(name: str, row: Mapping[str, Any]) -> Instrument:
    low, high = (parse_pitch(pitch) for pitch in row.get("range", "C-1 G9").split())
    source = "synth" if "patch" in row else "bank"
    rest = {key: value for key, value in row.items() if key in ("family", "program", "patch", "polyphony", "title")}
    return Instrument(name=name, source=source, low=low, high=high, **rest)


def instrument(name: str) -> Instrument:
    """Look one up; raises UnknownName with the nearest names."""
    table = instruments()
    if name not in table:
        raise UnknownName("instrument", name, table)
    return table[name]
