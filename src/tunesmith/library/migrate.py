"""Schema migrations: the known versions, and the upgrade of a database to the newest.

Alembic is imported only if there is something to migrate, because a server starts more often than it is upgraded.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock

from tunesmith.config import Settings
from tunesmith.errors import DatabaseError
from tunesmith.library.database import Database, database_url

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"


def newest_version() -> str:
    """Return the version of the newest migration in this release."""
    return max(_known_versions())


def open_database(settings: Settings) -> Database:
    """Open the database named by the settings and migrate it. Raises DatabaseError."""
    database = Database(database_url(settings))
    try:
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def migrate(database: Database) -> None:
    """Migrate the schema to the newest version, all or nothing; return at once if it is current.

    A SQLite file is copied to ``NAME.schema-VERSION`` beside it before a change. Raises DatabaseError for a database of
    a newer version or of another program, and leaves it unchanged.
    """
    # Most starts find nothing to do, and must not wait for the lock.
    if _version(database) == newest_version():
        return
    with _exclusive_lock(database):
        before = _version(database)
        if database.is_sqlite:
            if before is None:
                database.use_write_ahead_log()
            else:
                _back_up(database, before)
        with database.write() as connection:
            database.lock(connection, "migrate")
            # Another process may have migrated first.
            if _version_in(database, connection) != newest_version():
                _upgrade(connection)


def _exclusive_lock(database: Database) -> AbstractContextManager[object]:
    """Exclude other processes that migrate the same SQLite file: its mode is switched outside any transaction."""
    return FileLock(f"{database.where}.lock") if database.is_sqlite else nullcontext()


def _back_up(database: Database, version: str) -> None:
    """Copy a SQLite file before a migration, once per version."""
    copy = Path(f"{database.where}.schema-{version}")
    if not copy.exists():
        database.copy_to(copy)


def _version(database: Database) -> str | None:
    with database.read() as connection:
        return _version_in(database, connection)


def _version_in(database: Database, connection: sa.Connection) -> str | None:
    tables = sa.inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            raise DatabaseError(database.where, f"is not a Tunesmith database: it has a table {tables[0]!r}")
        return None
    # The name of the table is a constant.
    version = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    if version is not None and version not in _known_versions():
        problem = f"has schema {version}, this version knows {newest_version()}; upgrade Tunesmith to use it"
        raise DatabaseError(database.where, problem)
    return version


def _known_versions() -> frozenset[str]:
    return frozenset(file.stem.split("_")[0].removeprefix("v") for file in (MIGRATIONS / "versions").glob("v*.py"))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # Alembic reads its options through ConfigParser, which expands percent signs.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
