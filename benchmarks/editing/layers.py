"""Intensity layers: whether each step adds parts and is at least 2 dB louder, on pieces of many genres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import tunesmith
from tunesmith.audio.loudness import loudness_of
from tunesmith.composer.intensity_layers import IntensityLayer

PROMPTS = (
    "boss battle, orchestral", "lofi beats to study", "chiptune level", "dark ambient cave", "epic trailer",
    "solo piano ballad", "techno club", "jazz trio", "village theme with flute and guitar", "synthwave drive",
    "funky heist", "calm strings and harp",
)  # fmt: skip
INTENSITIES = (0.3, 0.6, 1.0)
SECONDS = 6
LEAST_DB = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """From one layer to the next: the parts that join and leave, the decibels between them, and whether in sync."""

    joined: frozenset[str]
    left: frozenset[str]
    louder_db: float
    in_sync: bool


def steps_of(layers: tuple[IntensityLayer, ...]) -> Iterator[Step]:
    """Yield the steps between the layers of a piece, as rendered."""
    sounds = [(layer, layer.mix()) for layer in layers]
    for (below, quiet), (above, loud) in pairwise(sounds):
        before, after = ({part.name for part in layer.parts} for layer in (below, above))
        louder = loudness_of(loud) - loudness_of(quiet)
        in_sync = quiet.samples.shape == loud.samples.shape
        yield Step(frozenset(after - before), frozenset(before - after), louder, in_sync)


def measure() -> dict[str, float]:
    """Return the share of steps that add parts, lose none, are 2 dB or more apart and in sync."""
    steps: list[Step] = []
    for seed, prompt in enumerate(PROMPTS):
        piece = tunesmith.compose(prompt, seed=seed, duration=SECONDS, loop=seed % 2 == 0)
        steps += steps_of(piece.layers(INTENSITIES))
    good = [step for step in steps if step.joined and not step.left and step.louder_db >= LEAST_DB and step.in_sync]
    return {"layer_steps_that_add_parts": round(len(good) / len(steps), 3)}


if __name__ == "__main__":
    print(measure())
