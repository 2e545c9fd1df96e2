"""Spool: the same sound comes out, wherever it is kept."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import numpy as np
import pytest
from budgets import SCORES
from hypothesis import given
from hypothesis import strategies as st
from small_disk import small_disk

from tunesmith.audio.spool import Samples, Spool
from tunesmith.errors import DiskFull


def noise(channels: int, length: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, (channels, length)).astype(np.float32)


@pytest.mark.parametrize("memory_bytes", [100, 10**6])
def test_reading_gives_what_was_appended(memory_bytes: int) -> None:
    sound = noise(2, 1000)
    with Spool(2, memory_bytes) as spool:
        for start in range(0, 1000, 70):
            spool.append(sound[:, start : start + 70])
        assert len(spool) == 1000
        assert np.array_equal(spool.read(), sound)
        assert np.array_equal(spool.read(200, 300), sound[:, 200:300])
        assert np.array_equal(np.concatenate(list(spool.blocks(99)), axis=1), sound)


@SCORES
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 120), st.integers(0, 60)), max_size=12), st.integers(8, 2000))
def test_adding_and_writing_equal_the_same_on_an_array(edits: list[tuple[bool, int, int]], memory_bytes: int) -> None:
    twin = noise(1, 120)
    with Spool(1, memory_bytes) as spool:
        spool.append(twin)
        for number, (adds, start, length) in enumerate(edits):
            block = noise(1, length, number)
            grown = np.zeros((1, max(twin.shape[1], start + length)), np.float32)
            grown[:, : twin.shape[1]] = twin
            grown[:, start : start + length] = block + (grown[:, start : start + length] if adds else 0)
            twin = grown
            (spool.add if adds else spool.write)(start, block)
        assert np.array_equal(spool.read(), twin)


def test_reading_past_the_end_gives_what_there_is() -> None:
    with Spool(2) as spool:
        assert spool.read().shape == (2, 0)
        spool.append(noise(2, 10))
        assert spool.read(8, 99).shape == (2, 2)
        assert spool.read(50, 99).shape == (2, 0)


def test_a_block_of_another_shape_is_refused() -> None:
    with Spool(2) as spool:
        with pytest.raises(ValueError, match="must be"):
            spool.append(noise(1, 10))
        with pytest.raises(ValueError, match="within"):
            spool.write(5, noise(2, 1))


def test_a_spool_that_is_forgotten_closes_its_file() -> None:
    spool = Spool(1, memory_bytes=8)
    spool.append(noise(1, 100))
    file = spool._file
    del spool
    gc.collect()
    assert file.closed


def append_and_read(size: int) -> None:
    with Spool(1, memory_bytes=1) as spool:
        spool.append(np.ones((1, size), np.float32))
        spool.read()


@pytest.mark.parametrize("size", [100, 20_000])
def test_a_full_disk_is_told_whether_it_is_met_at_once_or_when_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
        disk.fill()
        with pytest.raises(DiskFull, match=r"^temporary folder: cannot write to "):
            append_and_read(size)
        disk.empty()
        assert disk.files("") == []
