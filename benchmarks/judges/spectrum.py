"""What can be measured of any mix: where its power lies, how dense, wide and busy it is. Knows nothing of the composer.

python benchmarks/judges/spectrum.py FILE…     prints one line a file and the 10th, 50th and 90th percentile
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

Floats = npt.NDArray[np.float64]

BANDS: Mapping[str, tuple[float, float]] = {
    "share_20_60_db": (20, 60), "share_60_250_db": (60, 250), "share_250_500_db": (250, 500),
    "share_500_2k_db": (500, 2000), "share_2k_6k_db": (2000, 6000), "share_6k_16k_db": (6000, 16_000),
}  # fmt: skip
FRAME, HOP = 4096, 2048


@dataclass(frozen=True, slots=True)
class MixMeasures:
    """What a mix measures.

    Shares of power in dB of the whole, the spectral centroid (the median over frames of the magnitude centroid) in Hz,
    crest factor and level range in dB (95th − 10th percentile of 0.4 s levels), side over mid (root mean squares) and
    onsets a second.
    """

    share_20_60_db: float
    share_60_250_db: float
    share_250_500_db: float
    share_500_2k_db: float
    share_2k_6k_db: float
    share_6k_16k_db: float
    centroid_hz: float
    crest_db: float
    level_range_db: float
    side_mid: float
    onsets_per_second: float


def measure(samples: npt.NDArray[np.float32], sample_rate: int) -> MixMeasures:
    """Measure ``samples``, (channels, n)."""
    mid = samples.mean(axis=0).astype(np.float64)
    side = (samples[0] - samples[-1]).astype(np.float64) / 2
    frequency, _, spectrum = scipy.signal.stft(mid, sample_rate, nperseg=FRAME, noverlap=FRAME - HOP)
    magnitude = np.abs(spectrum)
    power = np.square(magnitude).mean(axis=1)
    whole = float(power.sum()) or 1e-30
    shares = {
        name: _db(float(power[(frequency >= low) & (frequency < high)].sum()) / whole)
        for name, (low, high) in BANDS.items()
    }
    loud = magnitude[:, magnitude.sum(axis=0) > 1e-6]
    centroid = (frequency[:, None] * loud).sum(axis=0) / np.maximum(1e-12, loud.sum(axis=0))
    return MixMeasures(
        **shares,
        centroid_hz=float(np.median(centroid)) if centroid.size else 0.0,
        crest_db=_db(float(np.max(np.abs(samples)) ** 2) / max(1e-30, float(np.mean(samples.astype(np.float64) ** 2)))),
        level_range_db=_level_range(samples, sample_rate),
        side_mid=float(np.sqrt(np.mean(side**2) / max(1e-30, float(np.mean(mid**2))))),
        onsets_per_second=_onsets(magnitude, sample_rate),
    )


def _db(ratio: float) -> float:
    return 10 * float(np.log10(max(ratio, 1e-12)))


def _level_range(samples: npt.NDArray[np.float32], sample_rate: int) -> float:
    size = round(0.4 * sample_rate)
    count = samples.shape[1] // size
    if count < 2:
        return 0.0
    blocks = samples[:, : count * size].astype(np.float64).reshape(len(samples), count, size)
    levels = 10 * np.log10(np.maximum(1e-12, np.mean(blocks**2, axis=(0, 2))))
    return float(np.percentile(levels, 95) - np.percentile(levels, 10))


def _onsets(magnitude: Floats, sample_rate: int) -> float:
    """Count peaks of the log spectral flux that stand out from what is around them."""
    rise = np.maximum(0, np.diff(np.log1p(1000 * magnitude), axis=1)).mean(axis=0)
    rise = rise / max(1e-12, float(rise.max(initial=0)))
    around = scipy.ndimage.uniform_filter1d(rise, 15)
    peaks, _ = scipy.signal.find_peaks(rise - around, height=0.05, distance=2)
    return float(len(peaks) / max(1e-9, magnitude.shape[1] * HOP / sample_rate))


def main(paths: list[str]) -> None:
    """Measure files and print what was found."""
    import soundfile

    rows = []
    for path in map(Path, paths):
        samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
        rows.append(asdict(measure(samples.T, sample_rate)))
        print(path.name[:28].ljust(28), *(f"{value:8.2f}" for value in rows[-1].values()))
    for name in rows[0]:
        low, middle, high = np.percentile([row[name] for row in rows], [10, 50, 90])
        print(f"{name:20} {low:8.2f} {middle:8.2f} {high:8.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
