"""Disk and memory: enough is enough, and too little is said with the numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from stand_ins import TINY, install

from tunesmith.errors import OutOfResources
from tunesmith.models.resource_checks import (
    PROCESS_BYTES,
    available_memory,
    check_disk,
    check_memory,
    decoder_parameters,
    free_disk,
    in_words,
    memory_needed,
    plan_batch,
    row_memory,
    total_memory,
)
from tunesmith.models.store import Store
from tunesmith.musicgen.architecture import Architecture, ChromaShape, TransformerShape
from tunesmith.neural.t5 import T5Shape

SMALL = dataclasses.replace(
    TINY,
    decoder=TransformerShape(1024, 24, 16, 4096, num_codebooks=4),
    text_encoder=T5Shape(768, 12, 12, 64, 3072, vocabulary_size=32128),
)
MELODY = dataclasses.replace(SMALL, decoder=TransformerShape(1536, 48, 24, 6144, num_codebooks=4), chroma=ChromaShape())


@pytest.mark.parametrize(("architecture", "millions"), [(SMALL, 420), (MELODY, 1387)])
def test_parameters_are_those_of_the_published_models(architecture: Architecture, millions: float) -> None:
    assert decoder_parameters(architecture) / 1e6 == pytest.approx(millions, rel=0.005)


def test_keys_and_values_are_what_memory_is_needed_for(tmp_path: Path) -> None:
    manifest = install(Store(tmp_path), "mine", b"x" * 1000).manifest
    a_row = memory_needed(manifest, SMALL) - PROCESS_BYTES - max(file.bytes for file in manifest.files)
    assert a_row / 2 == pytest.approx(295e6, rel=0.01)  # one row of musicgen-small at 30 s
    longer = dataclasses.replace(SMALL, window_seconds=60.0)
    assert memory_needed(manifest, longer) - memory_needed(manifest, SMALL) == pytest.approx(a_row, rel=0.01)


def test_too_little_memory_is_said_with_the_numbers(tmp_path: Path) -> None:
    manifest = install(Store(tmp_path), "mine").manifest
    needed = memory_needed(manifest, SMALL)
    check_memory(manifest, SMALL, needed)
    with pytest.raises(OutOfResources, match="not enough memory for mine: it needs about 740 MB, and 400 MB is"):
        check_memory(manifest, SMALL, 400_000_000)


def test_a_batch_gets_half_of_the_memory_that_the_model_leaves_and_never_less_than_one_guided_piece_takes(
    tmp_path: Path,
) -> None:
    manifest = install(Store(tmp_path), "mine").manifest
    needed, a_row = memory_needed(manifest, SMALL), row_memory(SMALL)
    assert plan_batch(manifest, SMALL, 16, needed).num_rows == 2
    rows = [plan_batch(manifest, SMALL, 16, needed + 2 * more * a_row + 2 * manifest.bytes) for more in (1, 2, 5, 99)]
    assert [plan.num_rows for plan in rows] == [2, 4, 6, 16]
    assert all(plan.keep_text_encoder for plan in rows)
    assert not plan_batch(manifest, SMALL, 16, needed - 1).keep_text_encoder


def test_memory_that_is_taken_is_no_longer_available() -> None:
    before = available_memory()
    taken = np.ones(60_000_000, np.uint8)
    assert 0 < available_memory() < before + 200_000_000
    assert taken[-1] == 1


def test_a_container_s_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.models.resource_checks._CGROUP", tmp_path)
    machine = available_memory()
    for name, text in (
        ("memory.max", "1000"),
        ("memory.current", "700"),
        ("memory.stat", "anon 1\ninactive_file 50\n"),
    ):
        (tmp_path / name).write_text(text, encoding="ascii")
    assert available_memory() == 350
    assert total_memory() == 1000
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert available_memory() == pytest.approx(machine, rel=0.5)


def test_a_disk_is_asked_before_its_folders_are_there(tmp_path: Path) -> None:
    assert free_disk(tmp_path / "not" / "there") > 0
    check_disk("mine", tmp_path, 5, 5, lambda _: 10)
    with pytest.raises(OutOfResources, match=r"not enough disk for mine: it needs 11 bytes .* and 10 bytes is free in"):
        check_disk("mine", tmp_path, 6, 5, lambda _: 10)
    with pytest.raises(OutOfResources, match=r"it needs 2 kB once converted, and 10 bytes is free"):
        check_disk("mine", tmp_path, 0, 2000, lambda _: 10)


def test_sizes_are_said_for_people() -> None:
    sizes = (0, 999, 14_200_000, 2_364_000_000, 13_720_000_000)
    assert [in_words(count) for count in sizes] == ["0 bytes", "999 bytes", "14.2 MB", "2.36 GB", "13.7 GB"]
