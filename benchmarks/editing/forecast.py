"""How far a stream is from its file when rendering runs at a given speed: with a clock that counts, so on any machine.

python benchmarks/editing/forecast.py [GENRE ...]

``benchmarks/editing/streaming.py`` measures the same with the real clock, which depends on what else the machine does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

import tunesmith
from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix.control_rate import CONTROL
from tunesmith.composer.mix.master import master
from tunesmith.composer.mix.premaster import Session, render_premaster
from tunesmith.composer.mix.streaming.causal_master import CausalMaster
from tunesmith.composer.mix.streaming.mix_stream import FIRST_LEAD_SECONDS, LEAD_SECONDS, RENDERING
from tunesmith.composer.mix.streaming.open_premaster import OpenPremaster
from tunesmith.composer.score import Score

GENRES = (
    "techno", "pop", "edm", "trap", "trance", "metal", "rock", "hip hop", "drum and bass", "dubstep", "lofi", "ambient",
    "folk", "jazz", "orchestral", "cinematic", "synthwave", "funk", "reggae", "piano",
)  # fmt: skip
SECONDS, SEED = 300, 11
SPEEDS = (10, 50)
"""Seconds of music that are rendered in a second: on two cores with ten others at work, and on an idle machine."""


@dataclass(frozen=True)
class Made:
    """A piece: its parts before the master, as they are appended, and the finished sound."""

    score: Score
    session: Session
    parts: Samples
    exact: Samples


class ClockedPremaster(OpenPremaster):
    """A pre-master that grows as the clock says; a reader that needs more moves the clock on."""

    def __init__(self, made: Made, speed: float) -> None:
        super().__init__(keeps_appended=False)
        self._parts, self._block = made.parts, made.session.options.block
        self._seconds = self._block / made.session.options.sample_rate / speed
        self.clock, self._fed = 0.0, 0

    def advance(self, clock: float) -> None:
        """Move the clock on, and append what is rendered by then."""
        self.clock = max(self.clock, clock)
        while self._fed < self._parts.shape[1] and (self._fed // self._block + 1) * self._seconds <= self.clock + 1e-9:
            self.append(self._parts[:, self._fed : self._fed + self._block])
            self._fed += self._block

    def appended(self, start: int, stop: int) -> Samples:
        """Return samples as they were appended, once the clock has come to them."""
        while self.num_measured * CONTROL + CONTROL <= min(stop, self._parts.shape[1]) and len(self) <= self._fed:
            self.advance(self.clock + self._seconds)
        return super().appended(start, stop)


def made_piece(genre: str) -> Made:
    """Return a piece of a genre."""
    composition = tunesmith.compose(genre, duration=SECONDS, seed=SEED)
    score, session = composition.score, composition.session()
    mix = OpenPremaster(keeps_appended=True)
    render_premaster(mix, score, session, share=RENDERING)
    parts = mix.appended(0, len(mix))
    finished = master(score, mix, session, done=RENDERING)
    return Made(score, session, parts, finished.read(0, len(finished)))


def difference_db(made: Made, speed: float) -> float:
    """Return the energy of the difference between stream and file, in dB relative to the file."""
    rate, mix = made.session.options.sample_rate, ClockedPremaster(made, speed)
    source, given, wrong, began = CausalMaster(made.score, made.session, mix), 0, 0.0, 0.0
    finished_at = SECONDS / speed / RENDERING
    while given < made.exact.shape[1] and mix.clock < finished_at:
        block = source.next()
        began = began or mix.clock
        wrong += _energy(block - made.exact[:, given : given + block.shape[1]])
        given += block.shape[1]
        played = mix.clock - began
        lead = min(LEAD_SECONDS, FIRST_LEAD_SECONDS + played / 2)
        mix.advance(began + given / rate - lead)
    mix.close()
    return float(10 * np.log10(max(wrong, 1e-12) / _energy(made.exact)))


def _energy(samples: Samples) -> float:
    return float(np.sum(np.square(samples, dtype=np.float64)))


if __name__ == "__main__":
    for name in sys.argv[1:] or GENRES:
        one = made_piece(name)
        values = "  ".join(f"{speed}x: {difference_db(one, speed):6.1f} dB" for speed in SPEEDS)
        print(f"{name:16} {values}", flush=True)
