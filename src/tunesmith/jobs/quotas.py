"""Quotas: how many jobs an owner may submit; counted in the database, so that they hold across all its servers."""

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
    """The quotas of owners: that of an API token's row, or ``anonymous`` for an owner that is an address group."""

    anonymous: RateLimit | None = None

    def left_to(self, connection: sa.Connection, owner: str, now: float) -> Allowance | None:
        """Return what is left of an owner's quota at ``now`` (Unix time), or None if it is unlimited or has no name."""
        quota = self._of(connection, owner) if owner else None
        if quota is None:
            return None
        began, ends = quota.window(now)
        # Job ids sort by time, so those of a window lie between these two and the index serves the count.
        first, end = new_job_id(began, bytes), new_job_id(ends, bytes)
        which = {"the_owner": owner, "the_first": first, "the_end": end}
        used = connection.execute(COUNT_BY_OWNER, which).scalar_one()
        return Allowance(THINGS, quota, max(0, quota.count - used), ends)

    def _of(self, connection: sa.Connection, owner: str) -> RateLimit | None:
        found = connection.execute(_QUOTA_OF_TOKEN, {"the_owner": owner}).first()
        if found is None:
            return self.anonymous
        return None if found.quota is None else RateLimit.parse("quota", found.quota)


NO_QUOTAS = Quotas()
