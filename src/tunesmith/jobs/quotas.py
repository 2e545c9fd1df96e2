"""Quotas: how many jobs an owner may hand in, counted in the database, so that they hold over all servers on it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from tunesmith.jobs.job import new_job_id
from tunesmith.jobs.sql import COUNT_BY_OWNER
from tunesmith.library.rate_limit import Allowance, RateLimit
from tunesmith.library.schema import tokens

THINGS = "pieces"
_QUOTA_OF_TOKEN = sa.select(tokens.c.quota).where(tokens.c.id == sa.bindparam("the_owner"))


@dataclass(frozen=True, slots=True)
class Quotas:
    """An API token's quota is that of its row; ``anonymous`` is the one of every owner that is an address."""

    anonymous: RateLimit | None = None

    def left_to(self, connection: sa.Connection, owner: str, now: float) -> Allowance | None:
        """Return what an owner may still hand in, or None where nothing bounds it, as where it has no name."""
        quota = self._of(connection, owner) if owner else None
        if quota is None:
            return None
        began, ends = quota.window(now)
        first, end = new_job_id(began, bytes), new_job_id(ends, bytes)  # ids made meanwhile sort between them
        which = {"the_owner": owner, "the_first": first, "the_end": end}
        used = connection.execute(COUNT_BY_OWNER, which).scalar_one()
        return Allowance(THINGS, quota, max(0, quota.count - used), ends)

    def _of(self, connection: sa.Connection, owner: str) -> RateLimit | None:
        found = connection.execute(_QUOTA_OF_TOKEN, {"the_owner": owner}).first()
        if found is None:
            return self.anonymous
        return None if found.quota is None else RateLimit.parse("quota", found.quota)


NO_QUOTAS = Quotas()
