"""First-order Butterworth filters as one second-order section, designed as ``scipy.signal.butter`` designs them."""

from __future__ import annotations

import cmath
import math

import numpy as np
import numpy.typing as npt

# The bilinear transform at SciPy's rate of 2: twice that rate.
_TWICE_RATE = 4.0


def butterworth(low: float, high: float, sample_rate: float) -> npt.NDArray[np.float64]:
    """Return the section, (1, 6), that passes ``low`` to ``high`` Hz; 0 or ``sample_rate`` / 2 leaves an end open."""
    if low <= 0:
        corner = _prewarped(high, sample_rate)
        gain = corner / (_TWICE_RATE + corner)
        return np.array([[gain, gain, 0.0, 1.0, -_to_digital(-corner).real, 0.0]])
    if high >= sample_rate / 2:
        corner = _prewarped(low, sample_rate)
        gain = _TWICE_RATE / (_TWICE_RATE + corner)
        return np.array([[gain, -gain, 0.0, 1.0, -_to_digital(-corner).real, 0.0]])
    return _band_pass(_prewarped(low, sample_rate), _prewarped(high, sample_rate))


def _band_pass(low: float, high: float) -> npt.NDArray[np.float64]:
    width, centre = high - low, math.sqrt(low * high)
    spread = cmath.sqrt((width / 2) ** 2 - centre**2)
    first, second = -width / 2 + spread, -width / 2 - spread
    gain = width * (_TWICE_RATE / ((_TWICE_RATE - first) * (_TWICE_RATE - second))).real
    one, other = _to_digital(first), _to_digital(second)
    return np.array([[gain, 0.0, -gain, 1.0, -(one + other).real, (one * other).real]])


def _prewarped(hertz: float, sample_rate: float) -> float:
    return _TWICE_RATE * math.tan(math.pi * hertz / sample_rate)


def _to_digital(pole: complex) -> complex:
    """Return an analogue pole after the bilinear transform."""
    return (_TWICE_RATE + pole) / (_TWICE_RATE - pole)
