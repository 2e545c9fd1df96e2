"""CallBudget: the limit on calls of hosted models, counted across all processes that share the database."""

from __future__ import annotations

import time

import sqlalchemy as sa

from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.schema import hosted_calls
from tunesmith.library.tokens import SECONDS, Allowance, RateLimit

THINGS = "hosted calls"
KEPT_SECONDS = 2 * SECONDS["day"]
LONGEST_NAME = 256


class CallBudget:
    """The call budget of ``rate``. Days and hours are UTC."""

    def __init__(self, database: Database, rate: RateLimit, clock: Clock = time.time) -> None:
        self._database = database
        self._rate = rate
        self._clock = clock

    def take(self, model: str) -> Allowance:
        """Count one call and return the remaining allowance. Raises RateLimited, without counting, if none is left."""
        now = self._clock()
        began, ends = self._rate.window(now)
        with self._database.write() as connection:
            # Counting and inserting must be one step, or two processes could both take the last call.
            self._database.lock(connection, "hosted_calls")
            used = sa.select(sa.func.count()).where(
                (hosted_calls.c.called_at >= began) & (hosted_calls.c.called_at < ends)
            )
            left = self._rate.count - connection.execute(used).scalar_one()
            allowance = Allowance(THINGS, self._rate, max(0, left - 1), ends, is_exceeded=left <= 0)
            allowance.check(now)
            # Rows older than the longest window are never counted again.
            connection.execute(sa.delete(hosted_calls).where(hosted_calls.c.called_at < now - KEPT_SECONDS))
            connection.execute(sa.insert(hosted_calls).values(model=model[:LONGEST_NAME], called_at=now))
        return allowance
