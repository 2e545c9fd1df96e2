"""Repair: what can still be read of a damaged SQLite file, in a new one; the damaged file is kept beside it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from tunesmith.config import Settings
from tunesmith.errors import DatabaseError
from tunesmith.library.database import Database, database_url
from tunesmith.library.migrate import open_database
from tunesmith.library.schema import metadata

BESIDES = ("", "-wal", "-shm")
"""The files of a SQLite database, by what follows its name."""

LONGEST_LEAP = 1 << 20
"""How many rows are left out at once at most, looking for the next that can be read."""


@dataclass(frozen=True, slots=True)
class RepairResult:
    """The damaged file in its new place, and the rows saved by table."""

    damaged: Path
    rows: Mapping[str, int]


def repair(settings: Settings) -> RepairResult | None:
    """Replace a damaged SQLite file by one with what can be read of it; None where it is sound.

    No server may use it meanwhile. Raises DatabaseError where it is in use, or is not SQLite's.
    """
    database = Database(database_url(settings))
    database.close()
    if not database.is_sqlite:
        raise DatabaseError(database.where, "is PostgreSQL's, which has tools of its own for this")
    path = Path(database.where)
    try:
        with FileLock(f"{path}.lock", timeout=0):
            return None if is_sound(path) else _replaced(path)
    except Timeout:
        raise DatabaseError(str(path), "is in use; stop what uses it first") from None


def is_sound(path: Path) -> bool:
    """Tell whether SQLite finds no damage in a file."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise DatabaseError(str(path), "is in use; stop what uses it first") from None
        return False
    except UnicodeDecodeError:  # SQLite quotes names of a damaged schema in its complaints
        return False
    return found == "ok"


def _replaced(path: Path) -> RepairResult:
    fresh = path.with_name(f"{path.name}.repaired")
    for ending in BESIDES:
        Path(f"{fresh}{ending}").unlink(missing_ok=True)
    rows = _saved(path, fresh)
    damaged = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for ending in BESIDES:
        if (part := Path(f"{path}{ending}")).exists():
            part.rename(f"{damaged}{ending}")
    fresh.rename(path)
    Path(f"{fresh}.lock").unlink(missing_ok=True)
    return RepairResult(damaged, rows)


def _saved(path: Path, fresh: Path) -> dict[str, int]:
    rows = {}
    open_database(Settings(database_url=f"sqlite:///{fresh}")).close()
    with closing(sqlite3.connect(path)) as damaged, closing(sqlite3.connect(fresh)) as target:
        damaged.text_factory = lambda text: text.decode("utf-8", "replace")
        for table in metadata.sorted_tables:
            rows[table.name] = _copied(damaged, target, table)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows


def _copied(damaged: sqlite3.Connection, target: sqlite3.Connection, table: sa.Table) -> int:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    places = ", ".join("?" * len(table.columns))
    select = f'SELECT rowid, {names} FROM "{table.name}" NOT INDEXED WHERE rowid >= ? ORDER BY rowid'  # noqa: S608
    insert = f'INSERT OR IGNORE INTO "{table.name}" ({names}) VALUES ({places})'  # noqa: S608  names of ours
    with target:
        return sum(target.execute(insert, row[1:]).rowcount for row in _readable(damaged, select))


def _readable(damaged: sqlite3.Connection, select: str) -> Iterator[tuple[object, ...]]:
    """Yield the rows that can be read, leaping further and further over those that cannot."""
    number, leap = -(2**62), 1
    while leap <= LONGEST_LEAP:
        try:
            for row in damaged.execute(select, (number,)):
                yield row
                number, leap = int(str(row[0])) + 1, 1
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            number, leap = max(number, 0) + leap, leap * 2
        else:
            return
