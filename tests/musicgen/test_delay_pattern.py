"""The delay pattern: nothing is lost, nothing speaks early."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.musicgen.delay_pattern import delay

SPECIAL = 64
MONO, STEREO = (0, 1, 2, 3), (0, 0, 1, 1, 2, 2, 3, 3)


def test_it_looks_as_drawn() -> None:
    codes = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    assert delay(codes, (0, 1, 2), 0).tolist() == [[1, 2, 3, 4, 0, 0], [0, 5, 6, 7, 8, 0], [0, 0, 9, 10, 11, 12]]


@pytest.mark.parametrize("delays", [MONO, STEREO, (0,), (0, 2, 1)])
@pytest.mark.parametrize("frames", [0, 1, 2, 50])
def test_each_codebook_is_found_at_its_delay(delays: tuple[int, ...], frames: int) -> None:
    codes = np.random.default_rng(1).integers(0, SPECIAL, (len(delays), frames))
    delayed = delay(codes, delays, SPECIAL)
    assert delayed.shape == (len(delays), frames + max(delays))
    for row, codebook, shift in zip(delayed, codes, delays, strict=True):
        assert (row[shift : shift + frames] == codebook).all()


@pytest.mark.parametrize("delays", [MONO, STEREO])
def test_the_gaps_and_only_they_hold_the_special_code(delays: tuple[int, ...]) -> None:
    delayed = delay(np.zeros((len(delays), 9), np.int64), delays, SPECIAL)
    for codebook, shift in enumerate(delays):
        gaps = np.flatnonzero(delayed[codebook] == SPECIAL)
        assert gaps.tolist() == [*range(shift), *range(shift + 9, 9 + max(delays))]
