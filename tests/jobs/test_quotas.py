"""Quotas: counted when jobs are handed in, exactly, over all who share the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from databases import Databases, FakeClock
from work import asked

from tunesmith.errors import QueueFull, RateLimited
from tunesmith.jobs.store import JobStore, Quotas
from tunesmith.library.database import Database
from tunesmith.library.tokens import Allowance, RateLimit, TokenRequest, Tokens

ADDRESS = "203.0.113.9"


@pytest.fixture
def store(database: Database, clock: FakeClock) -> JobStore:
    clock.now = clock.now // 86_400 * 86_400 + 3_600
    return JobStore(database, 50, clock, Quotas(anonymous=RateLimit(2, "day")))


def _token(database: Database, quota: RateLimit | None) -> str:
    return Tokens(database).create(TokenRequest(f"with {quota}", quota=quota)).token.id


def test_one_piece_more_than_the_quota_is_refused_until_its_day_is_over(
    database: Database, store: JobStore, clock: FakeClock
) -> None:
    owner = _token(database, RateLimit(3, "day"))
    for _ in range(3):
        store.submit(asked(owner))
    with pytest.raises(RateLimited, match="limit of 3 pieces a day reached") as refused:
        store.submit(asked(owner))
    assert refused.value.retry_after == 23 * 3_600
    clock.pass_(refused.value.retry_after - 1)
    with pytest.raises(RateLimited):
        store.submit(asked(owner))
    clock.pass_(1)
    assert store.submit(asked(owner)).created


def test_what_is_left_is_told(database: Database, store: JobStore, clock: FakeClock) -> None:
    owner, rate = _token(database, RateLimit(3, "day")), RateLimit(3, "day")
    midnight = clock() + 23 * 3_600
    assert store.allowance(owner) == Allowance("pieces", rate, 3, midnight)
    store.submit(asked(owner))
    assert store.allowance(owner) == Allowance("pieces", rate, 2, midnight)


def test_addresses_have_a_quota_each_and_tokens_without_one_none(database: Database, store: JobStore) -> None:
    owner = _token(database, None)
    for _ in range(5):
        store.submit(asked(owner))
        store.submit(asked(None))
    for address in (ADDRESS, "2001:db8::/64"):
        store.submit(asked(address))
        store.submit(asked(address))
        with pytest.raises(RateLimited, match="2 pieces a day"):
            store.submit(asked(address))
    assert (store.allowance(owner), store.allowance("")) == (None, None)


def test_the_same_key_again_and_a_full_queue_use_nothing_up(database: Database, clock: FakeClock) -> None:
    store = JobStore(database, 1, clock, Quotas(anonymous=RateLimit(2, "hour")))
    first = store.submit(asked(ADDRESS, idempotency_key="k"))
    assert store.submit(asked(ADDRESS, idempotency_key="k")).job.id == first.job.id
    with pytest.raises(QueueFull):
        store.submit(asked(ADDRESS))
    left = store.allowance(ADDRESS)
    assert left is not None
    assert left.remaining == 1


def test_many_at_once_through_several_servers_get_exactly_the_quota(databases: Databases, clock: FakeClock) -> None:
    url = databases.new_url()
    with databases.opened(url) as one, databases.opened(url) as other:
        stores = [JobStore(database, 50, clock, Quotas(RateLimit(5, "day"))) for database in (one, other)]

        def submit(number: int) -> bool:
            try:
                stores[number % 2].submit(asked(ADDRESS))
            except RateLimited:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(submit, range(16))) == 5
