from __future__ import annotations

import pytest

from tunesmith.composer.rng import rng_for
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.melody.rhythm import CELLS, RhythmTaste, draw_cell, groups_of, onsets


def test_every_cell_fills_its_group() -> None:
    for length, cells in CELLS.items():
        assert all(sum(map(abs, cell)) == pytest.approx(length) for cell in cells)
        assert len(set(cells)) == len(cells)


@pytest.mark.parametrize("meter", ["2/4", "3/4", "4/4", "5/4", "6/4", "7/4", "6/8", "7/8", "9/8", "12/8", "5/8", "2/2"])
def test_groups_fill_the_bar(meter: str) -> None:
    assert sum(groups_of(Meter.parse(meter))) == Meter.parse(meter).beats_per_bar


def test_odd_meters_are_grouped_as_they_are_counted() -> None:
    assert groups_of(Meter(5, 4)) == (3, 2)
    assert groups_of(Meter(7, 8)) == (1, 1, 1.5)
    assert groups_of(Meter(6, 8)) == (1.5, 1.5)


def test_onsets_leave_out_rests() -> None:
    assert onsets((-0.5, 0.5, 1.0)) == ((0.5, 0.5), (1.0, 1.0))


def test_cells_follow_the_density_and_the_shortest_note() -> None:
    random = rng_for(1, "cells")
    counts = [
        sum(len(onsets(draw_cell(random, 2.0, RhythmTaste(density, 0.2)))) for _ in range(200))
        for density in (0.5, 1.0, 2.0, 3.5)
    ]
    assert counts == sorted(counts)
    coarse = [draw_cell(random, 2.0, RhythmTaste(2.0, 0.2, 0.5)) for _ in range(200)]
    assert sum(min(map(abs, cell)) < 0.5 for cell in coarse) < 20
