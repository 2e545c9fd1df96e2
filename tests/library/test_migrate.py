"""Opening a database: migrations, and what is said of files that are broken, locked, newer or another's."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from databases import KINDS, Databases, PostgreSQL
from started_server import wait_for

from tunesmith.config import Settings
from tunesmith.errors import DatabaseError, InvalidRequest
from tunesmith.library.database import FALLBACK_CHECKPOINT_PAGES, Database, database_url
from tunesmith.library.migrate import MIGRATIONS, migrate, newest_version, open_database
from tunesmith.library.schema import metadata, speeds


def opened(path: Path) -> Database:
    return open_database(Settings(database_url=f"sqlite:///{path}"))


def is_of_full_text(name: str | None) -> bool:
    """Tell what each database has for searching, which no table of SQLAlchemy's describes."""
    return name is not None and name.startswith(("track_words", "tracks_by_words"))


def test_the_migrations_make_the_tables(database: Database) -> None:
    options = {"include_name": lambda name, *_: not is_of_full_text(name)}
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_the_newest_version_is_the_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == newest_version()


def test_processes_that_start_together_migrate_once(tmp_path: Path, postgresql: PostgreSQL) -> None:
    for url in (f"sqlite:///{tmp_path / 'new.db'}", postgresql.new_database()):
        several = [Database(url) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(migrate, several)) == [None] * 4
        for one in several:
            one.close()


def test_by_default_it_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "not there yet")
    assert database_url(settings) == f"sqlite:///{tmp_path}/not there yet/tunesmith.db"
    open_database(settings).close()
    assert (tmp_path / "not there yet" / "tunesmith.db").is_file()


def test_sqlite_runs_with_a_write_ahead_log_and_foreign_keys(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")
    with database.read() as connection:
        modes = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "foreign_keys")]
    database.close()
    assert modes == ["wal", 1]


def test_the_write_ahead_log_is_moved_into_the_file_without_a_commit_doing_it(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    database = opened(path)
    database.checkpoint_in_background(period=0.01)
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == FALLBACK_CHECKPOINT_PAGES
        connection.exec_driver_sql("CREATE TABLE moved (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO moved VALUES (1)")
    deadline, names = time.monotonic() + 10, set[str]()
    while "moved" not in names and time.monotonic() < deadline:
        copy.write_bytes(path.read_bytes())  # without what is in the log alone
        with closing(sqlite3.connect(copy)) as file, suppress(sqlite3.DatabaseError):  # copied half way
            names = {row[0] for row in file.execute("SELECT name FROM sqlite_master")}
    database.close()
    assert "moved" in names


def test_what_may_be_lost_and_what_changes_nothing_leave_the_disk_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database = opened(path)
    database.checkpoint_in_background(period=0.01)
    with database.write() as connection:
        connection.execute(sa.insert(speeds), {"model": "kept", "load_seconds": 1.0})
    wait_for(lambda: b"kept" in path.read_bytes(), "the commit in the file")
    written = path.stat().st_mtime_ns
    with database.write(may_be_lost=True) as connection:
        connection.execute(sa.insert(speeds), {"model": "lost", "load_seconds": 1.0})
    with database.write() as connection:
        connection.execute(sa.delete(speeds).where(speeds.c.model == "none"))
    time.sleep(0.2)
    assert path.stat().st_mtime_ns == written
    with database.write() as connection:
        connection.execute(sa.insert(speeds), {"model": "next", "load_seconds": 1.0})
    wait_for(lambda: b"lost" in path.read_bytes(), "both in the file")
    database.close()


@pytest.mark.parametrize("content", [b"this is no database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"^database .*broken\.db: is damaged.*was not changed") as caught:
        opened(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_damage_in_the_middle_is_one_line_too(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database = opened(path)
    with database.write() as connection:
        rows = [{"model": f"{number:0200d}", "load_seconds": 1.0} for number in range(2000)]
        connection.execute(sa.insert(speeds), rows)
    database.close()
    content = path.read_bytes()
    path.write_bytes(content[:300_000] + b"\xa5" * 200_000 + content[500_000:])
    again = opened(path)
    with pytest.raises(DatabaseError, match="is damaged"), again.read() as connection:
        connection.execute(sa.select(speeds)).all()
    again.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_database_is_left_as_it_is(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    file = f"sqlite:///{tmp_path / 'a.db'}"
    database = Database(file if kind == "sqlite" else request.getfixturevalue("postgresql").new_database())
    migrate(database)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9001'"))
    with pytest.raises(DatabaseError, match=f"has schema 9001, this version knows {newest_version()}; upgrade"):
        migrate(database)
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "9001"
    database.close()


def test_the_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="is not a Tunesmith database: it has a table 'recipes'"):
        opened(path)
    assert path.read_bytes() == before


def test_a_locked_database_is_said_to_be_locked(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    opened(path).close()
    other, impatient = sqlite3.connect(path), Database(f"sqlite:///{path}", busy_seconds=0.01)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError, match="is locked by another program"), impatient.write():
        pass
    other.close()
    impatient.close()


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("pulled the plug")

    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with monkeypatch.context() as patched:
        patched.setattr(Operations, "create_index", fail)
        with pytest.raises(RuntimeError, match="plug"):
            migrate(database)
    with database.read() as connection:
        assert sa.inspect(connection).get_table_names() == []
    migrate(database)
    database.close()


def test_a_server_out_of_reach_is_one_line_without_the_password(tmp_path: Path) -> None:
    database = Database(f"postgresql://me:hunter2@/music?host={tmp_path}")
    with pytest.raises(DatabaseError, match=r"^database postgresql\+psycopg://me:\*\*\*@") as caught:
        migrate(database)
    database.close()
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/db", "nothing", "sqlite://", "sqlite:///:memory:", "oracle9://x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="setting database_url: must be sqlite:///FILE or postgresql"):
        Database(url)


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidRequest, match=r'PostgreSQL needs: pip install "psycopg\[binary\]>='):
        Database("postgresql://host/name")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_no_other_user_may_read_the_file(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")
    with database.read() as connection:
        connection.execute(sa.select(speeds))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("a.db*") if path.suffix != ".lock"}
    database.close()
    assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match=r"cannot be created: (Not a directory|File exists)"):
        opened(tmp_path / "file" / "a.db")


def test_both_kinds_begin_empty(databases: Databases) -> None:
    with databases.opened(databases.new_url()) as database, database.read() as connection:
        assert connection.execute(sa.select(speeds)).all() == []


def test_a_file_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    opened(path).close()
    with sqlite3.connect(path) as older:
        older.execute("UPDATE alembic_version SET version_num = '0001'")
        older.execute("DROP TABLE tracks")
        older.execute("DROP TABLE track_words")
        older.execute("DROP TABLE hosted_calls")
        older.execute("INSERT INTO speeds (model, load_seconds) VALUES ('mine', 3.5)")
    older.close()
    opened(path).close()
    with sqlite3.connect(tmp_path / "a.db.schema-0001") as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert copy.execute("SELECT load_seconds FROM speeds").fetchall() == [(3.5,)]
    copy.close()
    with sqlite3.connect(path) as newer:
        assert newer.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest_version(),)]
    newer.close()
    assert not list(tmp_path.glob(".*.part*"))
