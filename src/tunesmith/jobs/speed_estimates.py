"""How fast each model is, measured as it works: moving estimates, kept in the database for every server to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tunesmith.library.database import Database
from tunesmith.library.schema import speeds

WEIGHT = 0.3
"""How much of an estimate the newest measurement makes up: about the last six count."""

MAX_SECONDS_PER_AUDIO_SECOND, MAX_LOAD_SECONDS = 3_600.0, 86_400.0
"""What is beyond these, negative or not finite was not measured but comes from a clock that was set, or from damage."""

_ALL = sa.select(speeds)
_ONE = sa.select(speeds).where(speeds.c.model == sa.bindparam("the_model"))


@dataclass(frozen=True, slots=True)
class Speed:
    """A model's ``seconds_per_audio_second`` of work and its ``load_seconds``; None where never measured."""

    seconds_per_audio_second: float | None = None
    load_seconds: float | None = None

    def seconds_for(self, audio_seconds: float, loaded: bool = True) -> float | None:
        """Estimate how long so much music takes, with the loading first if need be; None where nobody can know."""
        if self.seconds_per_audio_second is None or (not loaded and self.load_seconds is None):
            return None
        return self.seconds_per_audio_second * audio_seconds + (0.0 if loaded else self.load_seconds or 0.0)


class SpeedEstimates:
    """The speeds in a database, read and measured inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        insert = database.insert(speeds)
        moved = {name: _moving_average(speeds.c[name], insert.excluded[name], _LIMITS[name]) for name in _LIMITS}
        self._observe = insert.on_conflict_do_update(index_elements=["model"], set_=moved)

    def all(self, connection: sa.Connection) -> Mapping[str, Speed]:
        """Return every model's speed by name."""
        return {row.model: _plausible(row) for row in connection.execute(_ALL)}

    def of(self, connection: sa.Connection, model: str) -> Speed:
        """Return a model's speed, unknown where it never worked."""
        row = connection.execute(_ONE, {"the_model": model}).first()
        return Speed() if row is None else _plausible(row)

    def observe(self, connection: sa.Connection, model: str, measured: Speed) -> None:
        """Take a measurement in; what of it is None, or cannot be, changes nothing."""
        found = _plausible(measured)
        values = {
            "model": model,
            "seconds_per_audio_second": found.seconds_per_audio_second,
            "load_seconds": found.load_seconds,
        }
        connection.execute(self._observe, values)


_LIMITS = {"seconds_per_audio_second": MAX_SECONDS_PER_AUDIO_SECOND, "load_seconds": MAX_LOAD_SECONDS}


def _plausible(found: Speed | sa.Row[Any]) -> Speed:
    """Drop what cannot be."""
    speed, load = found.seconds_per_audio_second, found.load_seconds
    return Speed(
        speed if speed is not None and 0 < speed <= MAX_SECONDS_PER_AUDIO_SECOND else None,
        load if load is not None and 0 <= load <= MAX_LOAD_SECONDS else None,
    )


def _moving_average(
    stored: sa.ColumnElement[float], measured: sa.ColumnElement[float], most: float
) -> sa.ColumnElement[float]:
    """Move the estimate towards the measurement; where one of the two is NULL, or cannot be, the other is it."""
    before = sa.case((stored.between(0, most), stored))
    return sa.func.coalesce(before + WEIGHT * (measured - before), measured, before)
