"""Audio: samples with their rate and what is known about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # (channels, samples), full scale is ±1


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound: ``samples`` (channels, samples) float32, ``sample_rate`` in Hz, ``metadata`` as plain JSON values."""

    samples: Samples
    sample_rate: int
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.samples.shape[1] / self.sample_rate)

    def blocks(self, size: int = 65_536) -> Iterator[Samples]:
        """Yield the samples in order, (channels, at most ``size``) at a time."""
        for start in range(0, self.samples.shape[1], size):
            yield self.samples[:, start : start + size]
