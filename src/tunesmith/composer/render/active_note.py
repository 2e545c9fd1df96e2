"""A sounding note: its samples, its place in time, and where it is cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.audio.buffer import Samples


@dataclass(slots=True)
class ActiveNote:
    """A tone on the timeline: ``samples`` (2, n) from sample ``start``, released at ``released``.

    ``gains`` scale left and right. ``cut`` is where a fade of ``fade`` samples begins, if another note ends this one.
    """

    samples: Samples
    start: int
    released: int
    gains: tuple[float, float]
    choke_group: int = 0
    cut: int | None = None
    fade: int = 0

    @property
    def end(self) -> int:
        """The first sample after the sound."""
        natural = self.start + int(self.samples.shape[1])
        return natural if self.cut is None else min(natural, self.cut + self.fade)

    def cut_at(self, sample: int, fade: int) -> None:
        """End the sound by a fade from ``sample``, unless it is already being cut."""
        if self.cut is None and sample < self.end:
            self.cut, self.fade = max(sample, self.start), fade

    def add_to(self, target: Samples, start: int) -> None:
        """Add the part of the sound within ``target``, (2, n) from sample ``start`` of the timeline."""
        first, last = max(start, self.start), min(start + target.shape[1], self.end)
        if last <= first:
            return
        block = self.samples[:, first - self.start : last - self.start]
        scaled = block * np.array(self.gains, np.float32)[:, None]
        if self.cut is not None and last > self.cut:
            self._fade(scaled, first)
        target[:, first - start : last - start] += scaled

    def _fade(self, scaled: Samples, first: int) -> None:
        assert self.cut is not None
        since_cut = np.arange(first - self.cut, first - self.cut + scaled.shape[1], dtype=np.float32)
        phase = np.clip(since_cut / np.float32(self.fade), 0, 1)
        # A raised cosine has no corner at either end, so the cut makes no click.
        scaled *= np.float32(0.5) + np.float32(0.5) * np.cos(np.float32(np.pi) * phase)
