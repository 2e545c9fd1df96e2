"""How wide a mix is: the correlation of left and right in five bands, and side over mid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from judges.excerpt import RATE, Excerpt, band_pass

BANDS: Mapping[str, tuple[float, float]] = {
    "sub<120": (20, 120), "lo120-500": (120, 500), "mid.5-2k": (500, 2000), "hi2-6k": (2000, 6000),
    "air6-16k": (6000, 16_000),
}  # fmt: skip
"""The bands by name, lower and upper edge in Hz."""


def stereo_width(excerpt: Excerpt) -> dict[str, float]:
    """Return ``corr_<band>``, 1 for mono to −1, and ``side_mid``, the ratio of their root mean squares."""
    stereo = excerpt.stereo.astype(np.float64)
    left, right = stereo
    found = {}
    for name, edges in BANDS.items():
        one, other = band_pass(stereo, edges, RATE)
        norm = np.sqrt((one**2).sum() * (other**2).sum() + 1e-12)
        found[f"corr_{name}"] = float((one * other).sum() / norm)
    found["side_mid"] = float(np.sqrt(((left - right) ** 2).mean() / max(1e-30, ((left + right) ** 2).mean())))
    return found
