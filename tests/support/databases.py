"""Both databases, for real: a SQLite file, and a PostgreSQL server of the tests' own that no other user can reach."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tunesmith.library.database import Database
from tunesmith.library.migrate import migrate
from tunesmith.library.schema import metadata

KINDS = ("sqlite", "postgresql")
ROOT_S_STAND_IN = "postgres"  # PostgreSQL refuses to run as root; Debian's package makes this user
QUICK = "-c fsync=off -c listen_addresses='' -c max_connections=100 -c log_min_messages=panic"


class FakeClock:
    """A clock that stands still unless told to go on."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class PostgreSQL:
    """A running server, reached through a socket in its folder."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    @cached_property
    def engine(self) -> sa.Engine:
        """The connection of the tests themselves, since each new one reads the catalog anew."""
        return sa.create_engine(self.url("postgres"), pool_pre_ping=True)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """Make a database without tables and return its URL."""
        name = f"t{next(self.numbers)}"
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        return self.url(name)

    def emptied(self) -> str:
        """Return the URL of a migrated database without rows; always the same, as making one takes its time."""
        with self.engine.begin() as connection:
            # TRUNCATE writes new files for every table, which takes longer than to delete the few rows of a test.
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))
        return self.url("postgres")


def postgresql_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, on Debian outside the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    anywhere = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(anywhere).parent if anywhere else None


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Start a server in a temporary folder; skips where there is none, but never in CI."""
    programs = postgresql_programs()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = ROOT_S_STAND_IN if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-pg-"))
    if user:
        shutil.chown(folder, user)
    cluster = folder / "cluster"

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(cluster), *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=60)

    try:
        call("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8")
        log = str(folder / "log")
        call("pg_ctl", "--wait", "--log", log, "-o", f"{QUICK} -c unix_socket_directories={folder}", "start")
        server = PostgreSQL(folder)
        try:
            yield server
        finally:
            server.engine.dispose()
            call("pg_ctl", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder)


@cache
def _migrated() -> bytes:
    """Return the file of an empty SQLite database, because each migration takes 15 ms."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "empty.db")
        database = Database(f"sqlite:///{file}")
        migrate(database)
        database.close()
        return file.read_bytes()


@dataclass(frozen=True)
class Databases:
    """Where a test gets an empty database of one kind, already migrated."""

    folder: Path
    server: PostgreSQL | None

    def new_url(self) -> str:
        if self.server is not None:
            return self.server.emptied()
        handle, name = tempfile.mkstemp(".db", dir=self.folder)
        os.close(handle)
        Path(name).write_bytes(_migrated())
        return f"sqlite:///{name}"

    @contextmanager
    def opened(self, url: str) -> Iterator[Database]:
        database = Database(url)
        migrate(database)
        try:
            yield database
        finally:
            database.close()


_running = ExitStack()
atexit.register(_running.close)


@cache
def _shared_postgresql() -> PostgreSQL:
    server = _running.enter_context(running_postgresql())
    database = Database(server.url("postgres"))
    migrate(database)
    database.close()
    return server


@pytest.fixture(scope="session")
def postgresql() -> PostgreSQL:
    """Give the server of all tests of this process: a fixture is set up anew for each folder that imports it."""
    return _shared_postgresql()


@pytest.fixture(params=KINDS)
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """Both kinds, one after the other."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return Databases(tmp_path, server)


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """A new database, in a test run once with each kind."""
    with databases.opened(databases.new_url()) as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
