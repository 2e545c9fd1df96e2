"""How fast each model is, measured as it works: moving estimates, kept in the database for every server to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from tunesmith.library.database import Database
from tunesmith.library.tables import speeds

WEIGHT = 0.3
"""How much of an estimate the newest measurement makes up: about the last six count."""


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


def speeds_of(connection: sa.Connection) -> Mapping[str, Speed]:
    """Return every model's speed by name."""
    rows = connection.execute(sa.select(speeds))
    return {row.model: Speed(row.seconds_per_audio_second, row.load_seconds) for row in rows}


def speed_of(connection: sa.Connection, model: str) -> Speed:
    """Return a model's speed, unknown where it never worked."""
    row = connection.execute(sa.select(speeds).where(speeds.c.model == model)).first()
    return Speed() if row is None else Speed(row.seconds_per_audio_second, row.load_seconds)


def observe_speed(database: Database, connection: sa.Connection, model: str, measured: Speed) -> None:
    """Take a measurement in; what of it is None changes nothing."""
    before = speed_of(connection, model)
    values = {
        "model": model,
        "seconds_per_audio_second": _moved(before.seconds_per_audio_second, measured.seconds_per_audio_second),
        "load_seconds": _moved(before.load_seconds, measured.load_seconds),
    }
    connection.execute(database.upsert(speeds, values, ["model"]))


def _moved(before: float | None, measured: float | None) -> float | None:
    if before is None or measured is None:
        return measured if before is None else before
    return before + WEIGHT * (measured - before)
