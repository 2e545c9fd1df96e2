"""Noise keyed by seed, run, step, latent and channel: the same numbers on every platform, alone or in a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Latents = npt.NDArray[np.float32]  # (latents, channels)
Doubles = npt.NDArray[np.float64]

NoiseSource = Callable[[int], Latents]
"""Returns the noise of a step, (latents, channels); step 0 is the start."""

RUN_BITS = 32
"""The key of a stream holds the step in its lower bits and the run above them."""

# The normal quantile, algorithm AS 241 (Wichura 1988, Applied Statistics 37), as coefficients of rational functions
# from the highest power down: the centre, the tails, and the far tails.
CENTRE, NEAR_TAIL = 0.425, 5.0
CENTRE_RATIO = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
NEAR_RATIO = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
FAR_RATIO = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip
LN_2 = 0.6931471805599453


def noise_source(seed: int, num_latents: int, channels: int, run: int = 0) -> NoiseSource:
    """Return the noise of every step of a run, such as the windows of a long piece, which have runs of their own."""
    return lambda step: standard_normals(seed, step, (num_latents, channels), run)


def standard_normals(seed: int, step: int, shape: tuple[int, int], run: int = 0) -> Latents:
    """Return standard normal numbers of the shape (latents, channels).

    Each (seed, run, step) has a counter-based stream of its own (Philox4x64-10, Salmon et al. 2011), filled latent by
    latent, so that a longer piece with the same seed begins with the same noise. ``step`` is below 2**32, ``run``
    below 2**31, ``seed`` 0 or more and below 2**63.
    """
    # NumPy promises the bits of its generators for all versions and platforms, but not its distributions.
    key = np.array([seed, run << RUN_BITS | step], np.uint64)
    bits = np.random.Philox(key=key).random_raw(shape[0] * shape[1])
    # Never 0 or 1, whose quantiles are infinite.
    # 53 bits are what a double holds exactly.
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return normal_quantiles(uniform).astype(np.float32).reshape(shape)


def normal_quantiles(probability: Doubles) -> Doubles:
    """Return the quantiles of the standard normal distribution for probabilities between 0 and 1, to 1e-15.

    Uses only operations that IEEE 754 rounds in one way, for equal bits on every platform.
    """
    centred = probability - 0.5
    square = CENTRE * CENTRE - centred * centred
    quantiles: Doubles = centred * _ratio(CENTRE_RATIO, square)
    tails = np.flatnonzero(square < 0)
    # The quantiles are symmetric: both tails use the lower one's formula, and get the sign at the end.
    tail = np.minimum(probability[tails], 1 - probability[tails])
    root = np.sqrt(-_logarithm(tail))
    far = root > NEAR_TAIL
    quantiles[tails] = np.copysign(
        np.where(far, _ratio(FAR_RATIO, root - NEAR_TAIL), _ratio(NEAR_RATIO, root - 1.6)), centred[tails]
    )
    return quantiles


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], at: Doubles) -> Doubles:
    above, below = (_polynomial(each, at) for each in coefficients)
    return above / below


def _polynomial(coefficients: tuple[float, ...], at: Doubles) -> Doubles:
    total = np.full_like(at, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= at
        total += coefficient
    return total


def _logarithm(value: Doubles) -> Doubles:
    """Return the natural logarithm by the series of atanh; np.log differs in the last bit between processors."""
    mantissa, exponent = np.frexp(value)
    # A mantissa between 0.71 and 1.41, around 1, where the series converges fastest.
    small = mantissa < np.sqrt(0.5)
    mantissa, exponent = np.where(small, 2 * mantissa, mantissa), exponent - small
    ratio = (mantissa - 1) / (mantissa + 1)
    # The ratio stays below 0.172, so twelve terms reach the last bit of a double.
    series = _polynomial(tuple(1.0 / power for power in range(23, 0, -2)), ratio * ratio)
    return np.asarray(exponent * LN_2 + 2 * ratio * series, np.float64)
