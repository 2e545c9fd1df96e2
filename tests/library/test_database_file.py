"""A SQLite file that is damaged, removed or replaced: one line says so, and nothing is written to it."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from work import RESULT, asked, claimed

from tunesmith.config import Settings
from tunesmith.errors import DatabaseDamaged, DatabaseError, DatabaseGone
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.retention import JobLimits, prune_jobs
from tunesmith.jobs.store import JobStore
from tunesmith.jobs.worker_registry import WorkerRegistry
from tunesmith.library.database import Database
from tunesmith.library.migrate import open_database
from tunesmith.library.repair import repair
from tunesmith.library.tokens import Tokens
from tunesmith.library.tracks import TrackFilter, Tracks

PAGE = 4096


def opened(path: Path) -> Database:
    return open_database(Settings(database_url=f"sqlite:///{path}"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give the bytes of a database with jobs and tracks."""
    path = tmp_path_factory.mktemp("sound") / "a.db"
    database = opened(path)
    store, queue = JobStore(database, 500), JobQueue(database)
    for number in range(40):
        store.submit(asked(f"owner {number % 3}", prompt=f"lofi {number} " * 20))
    for _ in range(20):
        queue.succeed(claimed(queue), RESULT, {"title": "x", "warnings": ["w" * 100]})
    database.close()
    return path.read_bytes()


def uses(database: Database) -> Iterator[Callable[[], object]]:
    """Give what a server does with a database."""
    store, queue, tracks = JobStore(database, 500), JobQueue(database), Tracks(database)
    yield store.ping
    yield store.list
    yield lambda: store.submit(asked())
    yield store.counts
    yield store.depths
    yield store.queue
    yield store.result_uses
    yield store.recordings_in_use
    yield WorkerRegistry(database).remove_dead
    yield queue.recover
    yield queue.waiting_models
    yield lambda: queue.claim("w1")
    yield lambda: queue.load_seconds("composer")
    yield tracks.page
    yield lambda: tracks.page(TrackFilter(search="lofi"))
    yield Tokens(database).exist
    yield lambda: prune_jobs(database, JobLimits(1, 5))


def damages(sound: bytes) -> Iterator[bytes]:
    """Give the file with every kind of damage, and every page of it overwritten in turn."""
    chance = random.Random(11)
    yield from (b"hello", sound[:100], sound[: len(sound) // 2], bytes(len(sound)))
    for start in range(0, len(sound), 3 * PAGE):
        page = chance.choice([chance.randbytes(PAGE), bytes(PAGE), chance.randbytes(12)])
        yield sound[:start] + page + sound[start + len(page) :]
    for count in (1, 3, 30, 300) * 2:
        changed = bytearray(sound)
        for _ in range(count):
            changed[chance.randrange(len(sound))] = chance.randrange(256)
        yield bytes(changed)


def test_whatever_is_damaged_is_said_in_one_line(tmp_path: Path, sound: bytes) -> None:
    said: list[DatabaseError] = []
    for number, content in enumerate(damages(sound)):
        path = tmp_path / f"{number}.db"
        path.write_bytes(content)
        try:
            database = opened(path)
        except DatabaseError as error:
            said.append(error)
            continue
        for use in uses(database):
            try:
                use()
            except DatabaseError as error:
                said.append(error)
        database.close()
    assert len(said) > 10
    assert all("\n" not in str(error) for error in said)
    assert {type(error) for error in said} <= {DatabaseDamaged}
    assert all("tunesmith log repair" in str(error) for error in said)


def test_whatever_is_damaged_is_repaired_as_far_as_it_can_be(tmp_path: Path, sound: bytes) -> None:
    names = sound.index(b"CREATE TABLE jobs")
    unreadable_schema = sound[:names] + b"\xff" * 20 + sound[names + 20 :]
    for number, content in enumerate((unreadable_schema, sound[: len(sound) // 2], b"hello")):
        path = tmp_path / f"{number}.db"
        path.write_bytes(content)
        settings = Settings(database_url=f"sqlite:///{path}")
        repaired = repair(settings)
        assert repaired is not None
        assert repaired.damaged.read_bytes() == content
        with contextlib.closing(open_database(settings)) as database:
            JobStore(database, 500).submit(asked())


def test_once_damage_was_met_nothing_is_written_and_the_database_is_not_well(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database = opened(path)
    store = JobStore(database, 500)
    store.ping()
    job = store.submit(asked()).job
    database.disconnect()
    path.write_bytes(path.read_bytes()[:PAGE] + b"\xff" * (path.stat().st_size - PAGE))
    with pytest.raises(DatabaseDamaged):
        store.get(job.id)
    content = path.read_bytes()
    for use in (store.ping, lambda: store.submit(asked()), lambda: WorkerRegistry(database).leave("w1")):
        with pytest.raises(DatabaseDamaged, match="tunesmith log repair"):
            use()
    database.close()
    assert path.read_bytes() == content


@pytest.mark.parametrize("held", [True, False], ids=["with open connections", "without"])
def test_a_file_that_is_removed_is_noticed_not_made_again_and_taken_back(tmp_path: Path, held: bool) -> None:
    folder = tmp_path / "data"
    database = opened(folder / "a.db")
    store = JobStore(database, 500)
    job = store.submit(asked()).job
    if not held:
        database.disconnect()
    folder.rename(tmp_path / "away")
    for use in uses(database):
        with pytest.raises(DatabaseGone, match="was removed or replaced while in use; put it back"):
            use()
    folder.mkdir()
    with pytest.raises(DatabaseGone):
        store.submit(asked())
    assert list(folder.iterdir()) == []
    folder.rmdir()
    (tmp_path / "away").rename(folder)
    store.ping()
    store.submit(asked())
    assert store.get(job.id) == job
    assert len(store.list().jobs) == 2
    database.close()


def test_a_file_that_takes_another_s_place_is_not_written_to(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "a.db"
    database = opened(path)
    path.rename(tmp_path / "old.db")
    path.write_bytes(sound)
    with pytest.raises(DatabaseGone):
        JobStore(database, 500).submit(asked())
    database.close()
    assert path.read_bytes() == sound
