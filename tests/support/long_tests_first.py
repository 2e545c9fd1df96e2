"""The order of the tests for xdist's worksteal: long tests begin each worker's share, short ones fill what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TypeVar

T = TypeVar("T")

LONG = ("web", "clients", "pages", "server", "client", "cli")
"""The groups of ``group_of`` whose tests start browsers, servers and programs, those with the longest tests first."""


def group_of(path: PurePath, tests: PurePath) -> str:
    """Return the folder of ``tests`` that a file is in; ``pages`` for the files beside the folders."""
    folder, *rest = path.relative_to(tests).parts
    return folder if rest else "pages"


def long_tests_first(items: Sequence[T], workers: int, group: Callable[[T], str]) -> list[T]:
    """Return the items in an order whose equal parts, one a worker, begin with the groups of LONG.

    Worksteal cuts the tests into one part a worker by number, and gives an idle worker the end of another's part. In
    the order of the folders the browser's tests would end the last part: they would start last, on several workers at
    once, with a browser each. A group stays together, as long as a part has room, so its servers are started once.
    """
    heads: list[list[T]] = [[] for _ in range(workers)]
    for number, name in enumerate(LONG):
        heads[number % workers] += [item for item in items if group(item) == name]
    rest = [item for item in items if group(item) not in LONG]
    ordered: list[T] = []
    for number, head in enumerate(heads):
        part = (len(items) - len(ordered)) // (workers - number)
        room = max(0, part - len(head))
        ordered += head + rest[:room]
        del rest[:room]
    return ordered + rest
