"""Step patterns: a bar of sixteenths as text; a letter is a note, ``-`` holds it and ``.`` is a rest."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.composer.theory import Meter

# In beats.
STEP = 0.25
# Which of the bars A, A' and B each bar of a four-bar cycle plays.
CYCLE = (0, 1, 0, 2)
CYCLE_BARS = len(CYCLE)

Patterns = Mapping[str, tuple[str, ...]]
"""Meter (``4/4``, ``3/4``, ``6/8`` …) → patterns from calm to busy, each a text that ``cycle_bar`` reads."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a pattern: ``letter`` sounds from ``start`` for ``length`` beats within its bar."""

    start: float
    length: float
    letter: str


@functools.lru_cache(maxsize=4096)
def read_steps(text: str, beats: float) -> tuple[Step, ...]:
    """Read one bar of ``beats``: a text shorter than the bar repeats, a longer one is cut at the bar line.

    A text of 12 characters in a bar of four beats is twelve triplet eighths.
    """
    size = beats / 12 if len(text) == 12 and beats == 4 else STEP
    count = round(beats / size)
    cells = (text * (count // len(text) + 1))[:count]
    steps: list[Step] = []
    for index, letter in enumerate(cells):
        # A hold right after a rest has nothing to hold, so it is a rest too.
        if letter == "-" and steps and abs(steps[-1].start + steps[-1].length - index * size) < 1e-9:
            steps[-1] = Step(steps[-1].start, steps[-1].length + size, steps[-1].letter)
        elif letter not in ".-":
            steps.append(Step(index * size, size, letter))
    return tuple(steps)


def cycle_bar(text: str, share: float, bar: int) -> str:
    """Return the pattern of bar ``bar``, from 0, of a four-bar cycle.

    ``text`` has alternatives separated by ``|``, of which ``share``, 0 to below 1, chooses one. An alternative is one
    to four bars with spaces between: one bar repeats; two alternate; three are A, A' and B of the cycle A A' A B; four
    are the cycle itself.
    """
    alternatives = text.split("|")
    bars = alternatives[int(share * len(alternatives))].split()
    return bars[CYCLE[bar % CYCLE_BARS] if len(bars) == 3 else bar % len(bars)]


def own_steps(rhythm: str, bar: int, beats: float, hit: str) -> tuple[Step, ...]:
    """Read bar ``bar`` of a section from a part's own ``rhythm``: its bars in turn, with ``hit`` for ``x``.

    The capital of ``hit`` stands for ``X``.
    """
    bars = rhythm.split()
    return read_steps(bars[bar % len(bars)].replace("x", hit).replace("X", hit.upper()), beats)


def pattern_bars(patterns: Patterns, meter: Meter, energy: float) -> str:
    """Return the pattern for ``energy``, of a meter without patterns that of the nearest one."""
    options = patterns.get(str(meter)) or patterns.get(_kin(meter)) or patterns["4/4"]
    return options[min(len(options) - 1, int(energy * len(options)))]


def _kin(meter: Meter) -> str:
    if meter.is_compound:
        return "6/8"
    return "3/4" if meter.beats_per_bar == 3 else "4/4"
