"""The cache: bounded in bytes, and what it hands out cannot be written."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.lru_cache import SoundCache


def silence() -> Samples:
    return np.zeros((2, 100), np.float32)  # 800 bytes


def test_it_never_holds_more_than_its_capacity() -> None:
    cache = SoundCache(8_000)
    for key in range(50):
        cache.get(key, silence)
        assert cache.size <= 8_000


def test_it_renders_once_and_forgets_the_oldest() -> None:
    cache = SoundCache(8_000)
    first = cache.get(0, silence)
    assert cache.get(0, silence) is first
    for key in range(1, 20):
        cache.get(key, silence)
    assert cache.get(0, silence) is not first


def test_what_it_hands_out_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        SoundCache().get(0, silence)[0, 0] = 1
