"""Step patterns: a bar of sixteenths as text, where a letter is played, ``-`` holds it and ``.`` is silent."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunesmith.composer.theory import Meter

STEP = 0.25  # beats


@dataclass(frozen=True, slots=True)
class Step:
    """``letter`` sounds from ``start`` for ``length`` beats within its bar."""

    start: float
    length: float
    letter: str


@functools.lru_cache(maxsize=4096)
def read_steps(text: str, beats: float) -> tuple[Step, ...]:
    """Read one bar of ``beats``: a text shorter than the bar begins again, a longer one is cut at the bar line.

    A text of 12 characters in a bar of four beats is twelve triplet eighths.
    """
    size = beats / 12 if len(text) == 12 and beats == 4 else STEP
    count = round(beats / size)
    cells = (text * (count // len(text) + 1))[:count]
    steps: list[Step] = []
    for index, letter in enumerate(cells):
        if letter == "-" and steps and abs(steps[-1].start + steps[-1].length - index * size) < 1e-9:
            steps[-1] = Step(steps[-1].start, steps[-1].length + size, steps[-1].letter)
        elif letter not in ".-":
            steps.append(Step(index * size, size, letter))
    return tuple(steps)


def pattern_bars(texts: Mapping[str, Sequence[str]], meter: Meter, energy: float) -> str:
    """Choose from patterns by meter (key ``4/4``, ``3/4``, ``6/8`` …), written calm to busy, the one for ``energy``."""
    options = texts.get(str(meter)) or texts.get(_kin(meter)) or texts["4/4"]
    return options[min(len(options) - 1, int(energy * len(options)))]


def _kin(meter: Meter) -> str:
    if meter.is_compound:
        return "6/8"
    return "3/4" if meter.beats_per_bar == 3 else "4/4"
