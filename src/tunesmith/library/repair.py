"""Repair of a damaged SQLite file: readable rows go to a new file; the damaged one is kept beside it."""

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
"""The files of a SQLite database, as suffixes of its name."""

LONGEST_LEAP = 1 << 20
"""The largest number of row ids skipped at once in search of a readable row."""


@dataclass(frozen=True, slots=True)
class RepairResult:
    """The new path of the damaged file, and the number of rows saved per table."""

    damaged: Path
    rows: Mapping[str, int]


def repair(settings: Settings) -> RepairResult | None:
    """Replace a damaged SQLite file by one with its readable rows; return None if the file is intact.

    No server may use it during the repair. Raises DatabaseError if it is in use or not a SQLite database.
    """
    database = Database(database_url(settings))
    database.close()
    if not database.is_sqlite:
        raise DatabaseError(database.where, "is a PostgreSQL database; use PostgreSQL's own tools")
    path = Path(database.where)
    try:
        with FileLock(f"{path}.lock", timeout=0):
            return None if is_sound(path) else _replaced(path)
    except Timeout:
        raise DatabaseError(str(path), "is in use; stop the programs that use it first") from None


def is_sound(path: Path) -> bool:
    """Return whether SQLite finds no damage in a file."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise DatabaseError(str(path), "is in use; stop the programs that use it first") from None
        return False
    # SQLite quotes names of a damaged schema in its error messages.
    except UnicodeDecodeError:
        return False
    return found == "ok"


def _replaced(path: Path) -> RepairResult:
    fresh = path.with_name(f"{path.name}.repaired")
    for ending in BESIDES:
        Path(f"{fresh}{ending}").unlink(missing_ok=True)
    rows = _saved(path, fresh)
    damaged = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    # Move the log with its database: left behind, it would be replayed into the new file.
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
        # Damaged text must not stop the copy of the other columns.
        damaged.text_factory = lambda text: text.decode("utf-8", "replace")
        for table in metadata.sorted_tables:
            rows[table.name] = _copied(damaged, target, table)
        # Empty the log before the rename, which moves the main file only.
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows


def _copied(damaged: sqlite3.Connection, target: sqlite3.Connection, table: sa.Table) -> int:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    places = ", ".join("?" * len(table.columns))
    # NOT INDEXED: an index may be damaged where the table is not.
    select = f'SELECT rowid, {names} FROM "{table.name}" NOT INDEXED WHERE rowid >= ? ORDER BY rowid'  # noqa: S608
    # All names come from our own schema.
    insert = f'INSERT OR IGNORE INTO "{table.name}" ({names}) VALUES ({places})'  # noqa: S608
    with target:
        return sum(target.execute(insert, row[1:]).rowcount for row in _readable(damaged, select))


def _readable(damaged: sqlite3.Connection, select: str) -> Iterator[tuple[object, ...]]:
    """Yield the readable rows, skipping exponentially further over unreadable ones."""
    number, leap = -(2**62), 1
    while leap <= LONGEST_LEAP:
        try:
            for row in damaged.execute(select, (number,)):
                yield row
                number, leap = int(str(row[0])) + 1, 1
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            # One bad page hides many rows; doubling crosses it in few steps.
            number, leap = max(number, 0) + leap, leap * 2
        else:
            return
