"""The measured speed of each model: exponential moving averages, shared by all servers through the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tunesmith.library.database import Database
from tunesmith.library.schema import speeds

WEIGHT = 0.3
"""The weight of the newest measurement in the exponential moving average: about the last six count."""

MAX_SECONDS_PER_AUDIO_SECOND, MAX_LOAD_SECONDS = 3_600.0, 86_400.0
"""The limits of a plausible measurement; anything beyond, negative or not finite comes from a clock that was set or
from damage."""

_ALL = sa.select(speeds)
_ONE = sa.select(speeds).where(speeds.c.model == sa.bindparam("the_model"))


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed of a model: work per second of audio, and seconds to load it; None if never measured."""

    seconds_per_audio_second: float | None = None
    load_seconds: float | None = None

    def seconds_for(self, audio_seconds: float, loaded: bool = True) -> float | None:
        """Return the estimated seconds for ``audio_seconds`` of music, plus the load unless ``loaded``, or None."""
        if self.seconds_per_audio_second is None or (not loaded and self.load_seconds is None):
            return None
        return self.seconds_per_audio_second * audio_seconds + (0.0 if loaded else self.load_seconds or 0.0)


class SpeedEstimates:
    """The table of speeds, read and updated within the caller's transaction."""

    def __init__(self, database: Database) -> None:
        insert = database.insert(speeds)
        moved = {name: _moving_average(speeds.c[name], insert.excluded[name], _LIMITS[name]) for name in _LIMITS}
        # The database computes the average, so that concurrent servers lose no measurement.
        self._observe = insert.on_conflict_do_update(index_elements=["model"], set_=moved)

    def all(self, connection: sa.Connection) -> Mapping[str, Speed]:
        """Return the speed of every model by name."""
        return {row.model: _plausible(row) for row in connection.execute(_ALL)}

    def of(self, connection: sa.Connection, model: str) -> Speed:
        """Return the speed of a model; all None if it was never measured."""
        row = connection.execute(_ONE, {"the_model": model}).first()
        return Speed() if row is None else _plausible(row)

    def observe(self, connection: sa.Connection, model: str, measured: Speed) -> None:
        """Update the averages with a measurement; values that are None or implausible change nothing."""
        found = _plausible(measured)
        values = {
            "model": model,
            "seconds_per_audio_second": found.seconds_per_audio_second,
            "load_seconds": found.load_seconds,
        }
        connection.execute(self._observe, values)


_LIMITS = {"seconds_per_audio_second": MAX_SECONDS_PER_AUDIO_SECOND, "load_seconds": MAX_LOAD_SECONDS}


def _plausible(found: Speed | sa.Row[Any]) -> Speed:
    """Return the speed without implausible values."""
    speed, load = found.seconds_per_audio_second, found.load_seconds
    return Speed(
        speed if speed is not None and 0 < speed <= MAX_SECONDS_PER_AUDIO_SECOND else None,
        load if load is not None and 0 <= load <= MAX_LOAD_SECONDS else None,
    )


def _moving_average(
    stored: sa.ColumnElement[float], measured: sa.ColumnElement[float], most: float
) -> sa.ColumnElement[float]:
    """Return the SQL of the moving average; if either value is NULL or implausible, the other one."""
    # NULL if the stored value is implausible, so that damage heals with the next measurement.
    before = sa.case((stored.between(0, most), stored))
    return sa.func.coalesce(before + WEIGHT * (measured - before), measured, before)
