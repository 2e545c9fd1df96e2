"""Weighted draws from a table, the one way in which writers choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def weighted_choice(random: np.random.Generator, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """Return one of ``options``, evenly or by ``weights`` (not all zero)."""
    if weights is None:
        return options[int(random.random() * len(options))]
    mark = float(random.random()) * sum(weights)
    for option, weight in zip(options, weights, strict=True):
        mark -= weight
        if mark < 0:
            return option
    return max(zip(weights, range(len(options)), options, strict=True))[2]


def chance_of(random: np.random.Generator, probability: float) -> bool:
    """Return True with this probability."""
    return bool(random.random() < probability)
