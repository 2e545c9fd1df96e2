"""Disk and memory: enough is enough, and too little is said with the numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tunesmith.errors import OutOfResources
from tunesmith.models.resource_checks import (
    available_memory,
    check_disk,
    check_memory,
    free_disk,
    in_words,
    total_memory,
)


def test_too_little_memory_is_said_with_the_numbers() -> None:
    check_memory("mine", 740_000_000, 740_000_000)
    with pytest.raises(OutOfResources, match="not enough memory for mine: it needs about 740 MB, and 400 MB is"):
        check_memory("mine", 740_000_000, 400_000_000)


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
