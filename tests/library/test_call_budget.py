"""How many calls of hosted models are left, however many processes take them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from databases import FakeClock

from tunesmith.config import Settings
from tunesmith.errors import RateLimited
from tunesmith.library.call_budget import CallBudget
from tunesmith.library.database import Database
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import RateLimit

MODEL = "hf:facebook/musicgen-small"


def budget(database: Database, clock: FakeClock, rate: str = "3/day") -> CallBudget:
    return CallBudget(database, RateLimit.parse("max_calls", rate), clock)


def test_so_many_calls_are_taken_and_no_more_until_the_next_day(database: Database) -> None:
    clock = FakeClock()
    one = budget(database, clock)
    assert [one.take(MODEL).remaining for _ in range(3)] == [2, 1, 0]
    for _ in range(2):
        with pytest.raises(RateLimited, match=r"limit of 3 hosted calls a day reached; try again in \d+ s"):
            one.take(MODEL)
    clock.pass_(86_400)
    assert one.take(MODEL).remaining == 2


def test_the_count_is_of_all_models_and_survives_the_process(tmp_path: Path) -> None:
    clock = FakeClock()
    for number in range(2):
        opened = open_database(Settings(data_dir=tmp_path))
        budget(opened, clock).take(f"replicate:a/b{number}")
        opened.close()
    opened = open_database(Settings(data_dir=tmp_path))
    assert budget(opened, clock).take(MODEL).remaining == 0
    opened.close()


def test_calls_at_once_never_take_more_than_there_are(database: Database) -> None:
    clock = FakeClock()

    def take(_: int) -> bool:
        try:
            budget(database, clock, "10/hour").take(MODEL)
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(40))) == 10
