"""The intensities at which layers of a piece are asked for, as numbers and as text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tunesmith.errors import InvalidRequest
from tunesmith.fields import shown

USUAL_INTENSITIES = (0.3, 0.6, 1.0)
MAX_LAYERS = 12
FIELD = "layers"


def checked_intensities(intensities: Sequence[float]) -> tuple[float, ...]:
    """Return the intensities of layers, ascending.

    Raises InvalidRequest unless they are 1 to MAX_LAYERS numbers from 0 to 1 that differ in percent.
    """
    if not 1 <= len(intensities) <= MAX_LAYERS:
        raise InvalidRequest(FIELD, f"must be 1 to {MAX_LAYERS} intensities, got {len(intensities)}")
    for intensity in intensities:
        if not 0 <= intensity <= 1:
            raise InvalidRequest(FIELD, f"must be intensities from 0 to 1, got {intensity:g}")
    wanted = tuple(sorted(intensities))
    for lower, upper in pairwise(wanted):
        # Files are named by the percent.
        if round(100 * lower) == round(100 * upper):
            raise InvalidRequest(FIELD, f"must differ by at least 0.01, got {lower:g} and {upper:g}")
    return wanted


def read_intensities(text: str) -> tuple[float, ...]:
    """Return the intensities of a text such as ``0.3,0.6,1``, ascending; raises InvalidRequest."""
    try:
        values = [float(item) for item in text.split(",") if item.strip()]
    except ValueError:
        problem = f"must be intensities from 0 to 1 separated by commas, got {shown(text)}"
        raise InvalidRequest(FIELD, problem) from None
    return checked_intensities(values)
