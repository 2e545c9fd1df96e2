"""Long tests begin each worker's share, and no test is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

import pytest
from long_tests_first import LONG, group_of, long_tests_first

TESTS = PurePath("/all/tests")
ITEMS = [
    f"{name} {number}" for name in ("audio", "client", "clients", "server", "pages", "web") for number in range(20)
]
SHORT = [f"composer {number}" for number in range(400)]


def group(item: str) -> str:
    return item.split()[0]


def cut(items: list[str], workers: int) -> Iterator[list[str]]:
    """Cut items into parts as worksteal does."""
    for left in range(workers, 0, -1):
        part = len(items) // left
        yield items[:part]
        items = items[part:]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("items", [ITEMS, ITEMS + SHORT, SHORT, []])
def test_every_test_stays_and_groups_keep_their_order(items: list[str], workers: int) -> None:
    ordered = long_tests_first(items, workers, group)
    assert sorted(ordered) == sorted(items)
    for name in {group(item) for item in items}:
        assert [item for item in ordered if group(item) == name] == [item for item in items if group(item) == name]


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_every_worker_begins_with_long_tests_and_ends_with_short_ones(workers: int) -> None:
    items = ITEMS + SHORT
    ordered = long_tests_first(items, workers, group)
    parts = list(cut(ordered, workers))
    assert [group(part[0]) for part in parts] == list(LONG[:workers])
    assert not {group(part[-1]) for part in parts} & set(LONG)
    for name in LONG:
        assert sum(any(group(item) == name for item in part) for part in parts) <= 1


def test_a_file_belongs_to_its_folder_or_to_the_pages() -> None:
    assert group_of(TESTS / "web" / "test_access.py", TESTS) == "web"
    assert group_of(TESTS / "composer" / "mix" / "test_mix.py", TESTS) == "composer"
    assert group_of(TESTS / "test_readme.py", TESTS) == "pages"
