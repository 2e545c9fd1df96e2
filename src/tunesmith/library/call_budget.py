"""CallBudget: how many calls of hosted models may be made, counted over all processes that share the database."""

from __future__ import annotations

import time

import sqlalchemy as sa

from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.rate_limit import SECONDS, Allowance, RateLimit
from tunesmith.library.schema import hosted_calls

THINGS = "hosted calls"
KEPT_SECONDS = 2 * SECONDS["day"]
LONGEST_NAME = 256


class CallBudget:
    """Takes calls from what ``rate`` allows. Days and hours are those of UTC."""

    def __init__(self, database: Database, rate: RateLimit, clock: Clock = time.time) -> None:
        self._database = database
        self._rate = rate
        self._clock = clock

    def take(self, model: str) -> Allowance:
        """Count one call and return what is left; raises RateLimited, counting nothing, where nothing was left."""
        now = self._clock()
        began, ends = self._rate.window(now)
        with self._database.write() as connection:
            self._database.lock(connection, "hosted_calls")
            used = sa.select(sa.func.count()).where(
                (hosted_calls.c.called_at >= began) & (hosted_calls.c.called_at < ends)
            )
            left = self._rate.count - connection.execute(used).scalar_one()
            allowance = Allowance(THINGS, self._rate, max(0, left - 1), ends, is_exceeded=left <= 0)
            allowance.check(now)
            connection.execute(sa.delete(hosted_calls).where(hosted_calls.c.called_at < now - KEPT_SECONDS))
            connection.execute(sa.insert(hosted_calls).values(model=model[:LONGEST_NAME], called_at=now))
        return allowance
