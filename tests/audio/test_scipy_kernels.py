"""Filters and transforms by SciPy's kernels: the results of SciPy's own functions, to the bit."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from lazy_modules import LazyModule

from tunesmith.audio.butterworth import butterworth
from tunesmith.audio.fourier import irfft, next_fast_len, rfft
from tunesmith.audio.recursive_filters import PAIRED_SECTIONS, lfilter_on, sosfilt, sosfilt_on
from tunesmith.audio.scipy_kernels import kernel

if TYPE_CHECKING:
    from scipy import fft, signal
else:
    fft = LazyModule("scipy.fft")
    signal = LazyModule("scipy.signal")

RATE = 44_100


@functools.cache
def sections_of_a_band(count: int) -> npt.NDArray[np.float64]:
    """Return the second-order sections, ``count`` of them, of a band-pass filter."""
    return np.asarray(signal.butter(count, [300, 3_000], "band", fs=RATE, output="sos"))


SOUND = np.random.default_rng(5).standard_normal((2, 3_001))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("sections_kind", [np.float32, np.float64])
@pytest.mark.parametrize("shape", ["stereo", "mono", "strided"])
@pytest.mark.parametrize("count", [1, PAIRED_SECTIONS, 4])
def test_second_order_sections_are_scipys(kind: type, sections_kind: type, shape: str, count: int) -> None:
    sound = {"stereo": SOUND, "mono": SOUND[0], "strided": SOUND.T.copy().T[:, ::2]}[shape].astype(kind, order="K")
    sections: npt.NDArray[Any] = sections_of_a_band(count).astype(sections_kind)
    before = sound.copy()
    ours, theirs = sosfilt(sections, sound), signal.sosfilt(sections, sound)
    assert ours.dtype == theirs.dtype
    assert np.array_equal(ours, theirs)
    assert np.array_equal(sound, before)


@pytest.mark.parametrize("count", [1, PAIRED_SECTIONS, 4])
def test_blocks_carry_their_state_as_scipys_do(count: int) -> None:
    sections = sections_of_a_band(count)
    state = theirs_state = np.zeros((count, 2, 2))
    for block in np.split(SOUND.astype(np.float32), [1, 700, 701], axis=1):
        ours, state = sosfilt_on(sections, block, state)
        theirs, theirs_state = signal.sosfilt(sections, block, zi=theirs_state)
        assert np.array_equal(ours, theirs)
        assert np.array_equal(state, theirs_state)


def test_direct_filters_are_scipys() -> None:
    numerator, denominator, state = np.array([0.2, 0.1]), np.array([1.0, -0.7]), np.full((2, 1), 0.3)
    ours = lfilter_on(numerator, denominator, SOUND, state)
    theirs = signal.lfilter(numerator, denominator, SOUND, zi=state)
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("size", [2_000, 3_001, 4_050])
def test_transforms_are_scipys(kind: type, size: int) -> None:
    sound: npt.NDArray[Any] = SOUND.astype(kind)
    spectrum = rfft(sound, size)
    assert spectrum.dtype == fft.rfft(sound, size).dtype
    assert np.array_equal(spectrum, fft.rfft(sound, size))
    assert np.array_equal(irfft(spectrum, size), fft.irfft(spectrum, size))
    assert np.array_equal(irfft(spectrum, size + 100), fft.irfft(spectrum, size + 100))
    assert next_fast_len(size) == fft.next_fast_len(size, real=True)


@pytest.mark.parametrize(("low", "high"), [(0, 1_100), (4_000, np.inf), (20, 70), (600, 7_000), (1_200, 13_000)])
def test_first_order_designs_are_scipys(low: float, high: float) -> None:
    if low <= 0:
        theirs = signal.butter(1, high, "low", fs=RATE, output="sos")
    elif high == np.inf:
        theirs = signal.butter(1, low, "high", fs=RATE, output="sos")
    else:
        theirs = signal.butter(1, [low, high], "band", fs=RATE, output="sos")
    assert np.array_equal(butterworth(low, high, RATE).astype(np.float32), theirs.astype(np.float32))


def test_a_kernel_that_scipy_lacks_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="_no_such"):
        kernel("scipy.signal._no_such")
    assert "scipy.signal._no_such" not in sys.modules
