"""Database: one SQLite file or one PostgreSQL server, opened by URL, with one-line errors for every failure.

SQLite runs in WAL mode with ``synchronous=NORMAL``: a commit survives the end of any process at any moment (``kill -9``
included), because the operating system holds it; only a power cut may lose the last commits, and it never damages the
file. Writers begin with BEGIN IMMEDIATE, so that they wait for each other instead of failing half-way.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from tunesmith.config import Settings
from tunesmith.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseError,
    DatabaseFull,
    DatabaseGone,
    DatabaseOutOfReach,
    InvalidRequest,
)
from tunesmith.extras import install_command
from tunesmith.files import atomic_path

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_MAY_HOLD_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


def read_column(text: str | bytes) -> Any:
    """Parse a JSON column; lone surrogates, which no response can hold, become U+FFFD.

    Returns None for invalid JSON, so that one damaged row does not hide the others.
    """
    try:
        document = text if isinstance(text, str) else text.decode()
        value = json.loads(document)
        # The search in the text is cheap, and almost no document has such an escape.
        return _without_half_pairs(value) if _MAY_HOLD_HALF_PAIR.search(document) else value
    except (ValueError, RecursionError):
        return None


def _without_half_pairs(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_without_half_pairs(member) for member in value]
    if isinstance(value, dict):
        return {_without_half_pairs(name): _without_half_pairs(member) for name, member in value.items()}
    return value


FILE_NAME = "tunesmith.db"
BUSY_SECONDS = 10.0
"""How long a writer waits for other writers before it gives up."""
CHECKPOINT_SECONDS = 1.0
"""The longest time from a commit to the checkpoint that moves it into the file."""
IDLE_CHECKPOINT_SECONDS = 20.0
"""The same for commits of other programs, and for those that may be lost."""
FALLBACK_CHECKPOINT_PAGES = 10_000
"""The length of the write-ahead log, 40 MB, at which a commit checkpoints after all."""

DAMAGED = "is damaged and was not changed; rebuild it with: tunesmith log repair"
DAMAGES = {
    **dict.fromkeys(("image is malformed", "malformed database schema", "Could not decode to UTF-8"), DAMAGED),
    **dict.fromkeys(("no such table", "no such column", "has no column named", "vtable constructor failed"), DAMAGED),
    "unsupported file format": DAMAGED,
    "not a database": "is damaged or not a database, and was not changed; start a new one with: tunesmith log repair",
}
REASONS = {
    "disk I/O error": "cannot be read or written: its disk is full, or fails",
    "readonly": "cannot be written to; check the permissions of its folder and of all its files, -wal and -shm too",
    "unable to open": "cannot be opened; check the folder and its permissions",
}
"""What SQLite's error messages mean to a user, by words in them. After one of DAMAGES, all writes are refused."""
GONE = "was removed or replaced while in use; put it back, or restart the server"
NO_SERVER = ("08", "57P", "53300")
"""PostgreSQL's codes for a broken connection, a server that stops or starts, and too many connections."""
log = logging.getLogger("tunesmith.server")
LOCKED, FULL = "database is locked", "disk is full"


def database_url(settings: Settings) -> str:
    """Return the URL from the settings, or that of the SQLite file in the data folder."""
    return settings.database_url or f"sqlite:///{settings.data_dir / FILE_NAME}"


class Database:
    """An open database. Safe to share between threads; call ``close`` when done."""

    def __init__(self, url: str, busy_seconds: float = BUSY_SECONDS) -> None:
        """Prepare the connection. Raises InvalidRequest for an unsupported URL."""
        self.url = _checked_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.where = self.url.database or "" if self.is_sqlite else self.url.render_as_string(hide_password=True)
        self.engine = _sqlite_engine(self.url, busy_seconds) if self.is_sqlite else _postgresql_engine(self.url)
        self._file = _identity_of(self.where) if self.is_sqlite else None
        self._damage: DatabaseDamaged | None = None
        self._closed, self._has_commits = threading.Event(), threading.Event()
        # A lock wakes the next writer at once, whereas SQLite's busy handler sleeps and polls. All writers share one
        # connection, because SQLite rereads every page that another connection has written.
        self._write_lock = threading.Lock()
        self._writer: sa.Connection | None = None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection with a consistent snapshot of the database. Raises DatabaseError."""
        self._check_file()
        with self.explained(), self.engine.connect() as connection:
            # An explicit transaction: without one each statement would see a snapshot of its own.
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def write(self, *, may_be_lost: bool = False) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction that commits at the end, all or nothing. Raises DatabaseError.

        A power cut may take the last second of commits, or the last 20 of those that ``may_be_lost``. Refuses to write
        to a file that was removed, replaced or found damaged.
        """
        self.check()
        if not self.is_sqlite:
            with self.explained(), self.engine.begin() as connection:
                yield connection
            return
        with self.explained(), self._write_lock:
            writer = self._writer = self._writer or self.engine.connect()
            driver = cast("sqlite3.Connection", writer.connection.driver_connection)
            changes = driver.total_changes
            try:
                with writer.begin():
                    writer.exec_driver_sql("BEGIN IMMEDIATE")
                    yield writer
                # Many transactions look for work and find none.
                if driver.total_changes > changes and not may_be_lost:
                    self._has_commits.set()
            except DBAPIError:
                # After a failure the state of the connection is unknown, so the next writer opens a new one.
                self._close_writer()
                raise

    def _close_writer(self) -> None:
        """Close the write connection. The caller holds ``_write_lock``."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def check(self) -> None:
        """Raise DatabaseDamaged or DatabaseGone if SQLite's file is known to be so, without reading it."""
        self._check_file()
        if self._damage is not None:
            raise DatabaseDamaged(self.where, self._damage.problem)

    def _check_file(self) -> None:
        if self._file is not None and _identity_of(self.where) != self._file:
            raise DatabaseGone(self.where, GONE)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Convert the driver's errors to a one-line DatabaseError, except IntegrityError, which callers handle."""
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            text = str(error.orig).strip() or type(error.orig).__name__
            if not self.is_sqlite and _is_out_of_reach(error):
                raise DatabaseOutOfReach(self.where, text.splitlines()[0]) from error
            raise self._noted(_explained(self.where, text)) from error
        # SQLite quotes names of a damaged schema in its error messages.
        except UnicodeDecodeError as error:
            raise self._noted(DatabaseDamaged(self.where, DAMAGED)) from error
        except NoConnectionFree as error:
            raise DatabaseBusy(self.where, "has too many connections; try again later") from error

    def _noted(self, error: DatabaseError) -> DatabaseError:
        if self.is_sqlite and isinstance(error, DatabaseDamaged):
            self._damage = error
        return error

    def use_write_ahead_log(self) -> None:
        """Switch SQLite to WAL mode, which the file keeps; this is not possible inside a transaction."""
        with self.explained(), self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")

    def checkpoint_in_background(self, period: float = CHECKPOINT_SECONDS) -> None:
        """Checkpoint SQLite's write-ahead log in a thread, so that no commit waits for the disk.

        ``period`` is in seconds. Call this before the connections are used; ``close`` ends the thread. PostgreSQL does
        this by itself.
        """
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _leave_checkpoints_to_the_thread)
            self.disconnect()
            arguments = (period,)
            threading.Thread(
                target=self._checkpoint_until_closed, args=arguments, name="checkpoint", daemon=True
            ).start()

    def _checkpoint_until_closed(self, period: float) -> None:
        problem = ""
        while True:
            # An idle server leaves the disk alone.
            self._has_commits.wait(IDLE_CHECKPOINT_SECONDS)
            if self._closed.wait(period):
                return
            self._has_commits.clear()
            try:
                with self.explained(), self.engine.connect() as connection:
                    # PASSIVE never blocks readers or writers; it moves what it can.
                    _, logged, moved = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
                if moved < logged:
                    self._has_commits.set()
                problem = ""
            except DatabaseError as error:
                self._has_commits.set()
                # Log a problem once, not every second.
                if str(error) != problem:
                    problem = str(error)
                    log.error("cannot move the write-ahead log into the database: %s", problem)

    def copy_to(self, path: Path) -> None:
        """Copy SQLite's file as of one moment, even while it is in use; the copy is complete or absent."""
        try:
            # SQLite's backup API also sees commits that are still in the write-ahead log, unlike a file copy.
            # The file is private before it has any content.
            with (
                atomic_path(path, mode=0o600) as part,
                closing(sqlite3.connect(self.where)) as source,
                closing(sqlite3.connect(part)) as target,
            ):
                source.backup(target)
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(self.where, f"cannot be copied to {path}: {error}") from None

    def lock(self, connection: sa.Connection, name: str) -> None:
        """Exclude other transactions that take the same lock until this one ends; SQLite has one writer anyway."""
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(crc32(name.encode()))))

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """Return the insert statement of this database's dialect, which supports ON CONFLICT."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def upsert(self, table: sa.Table, key: str) -> sqlite.Insert | postgresql.Insert:
        """Return a statement that inserts a row or overwrites the one with the same key."""
        insert = self.insert(table)
        others = {column.name: insert.excluded[column.name] for column in table.c if column.name != key}
        return insert.on_conflict_do_update(index_elements=[key], set_=others)

    def disconnect(self) -> None:
        """Close all idle connections; new ones open on demand."""
        with self._write_lock:
            self._close_writer()
        self.engine.dispose()

    def close(self) -> None:
        """Close all connections and end the thread of ``checkpoint_in_background``."""
        self._closed.set()
        self._has_commits.set()
        self.disconnect()


def _checked_url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        raise InvalidRequest("setting database_url", "must be sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not url.database or url.database == ":memory:":
        raise InvalidRequest("setting database_url", "must be sqlite:///FILE or postgresql://USER@HOST/NAME")
    return url.set(drivername="sqlite+pysqlite")


def _sqlite_engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    file = Path(cast("str", url.database))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            # The file holds prompts and token hashes, so only its owner may read it.
            file.touch(mode=0o600)
    except OSError as error:
        raise DatabaseError(str(file), f"cannot be created: {error.strerror}") from None
    # Mode "rw" never creates the file: one removed later must not come back empty.
    existing = f"{file.absolute().as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(existing, busy_seconds, uri=True, check_same_thread=False)

    engine = sa.create_engine(
        url, creator=connect, pool_size=16, max_overflow=48, json_deserializer=read_column, pool_use_lifo=True
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # The driver must not begin transactions of its own.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")


def _leave_checkpoints_to_the_thread(connection: sqlite3.Connection, _: object) -> None:
    # Not off: if the thread falls behind, the log must still not grow without bound.
    connection.execute(f"PRAGMA wal_autocheckpoint={FALLBACK_CHECKPOINT_PAGES}")


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(url, pool_size=16, max_overflow=48, pool_pre_ping=True, json_deserializer=read_column)
    except ImportError:
        raise InvalidRequest("setting database_url", f"PostgreSQL needs: {install_command('postgres')}") from None


def _is_out_of_reach(error: DBAPIError) -> bool:
    """Return whether PostgreSQL was unreachable, which has no code, or dropped the connection."""
    code = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (code is None or code.startswith(NO_SERVER))


def _identity_of(file: str) -> tuple[int, int] | None:
    """Return what identifies a file, so that a replacement is noticed; None if it does not exist."""
    try:
        # Every transaction calls this, and creating a Path takes longer than the call itself.
        about = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _explained(where: str, text: str) -> DatabaseError:
    if LOCKED in text:
        return DatabaseBusy(where, "is locked by another program; stop that program, or try again later")
    if FULL in text:
        return DatabaseFull(where, "cannot grow: the disk is full")
    damage = next((meaning for words, meaning in DAMAGES.items() if words in text), None)
    if damage is not None:
        return DatabaseDamaged(where, damage)
    meaning = (meaning for words, meaning in REASONS.items() if words in text)
    return DatabaseError(where, next(meaning, text.splitlines()[0]))
