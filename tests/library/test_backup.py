"""Backups: everything comes back as it was, taken beside a writer too, and nothing is overwritten or trusted."""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from databases import PostgreSQL

from tunesmith.cli import run
from tunesmith.config import Settings
from tunesmith.errors import DatabaseError, InvalidRequest
from tunesmith.library.backup import ABOUT, back_up, restore
from tunesmith.library.migrate import open_database

KEPT = {
    "results/ab/abcdef": b"music", "inputs/recording.wav": b"sound", "replicate.secret": b"key",
    "webhooks/later.json": b"{}",
}  # fmt: skip
LEFT_OUT = ("models/small/weights.onnx", "downloads/x/y.bin", "results/incoming/half.wav", "a.lock", ".x.part.wav")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data_dir=tmp_path / "data")
    open_database(made).close()
    for name, content in {**KEPT, **dict.fromkeys(LEFT_OUT, b"large")}.items():
        file = made.data_dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    if os.name == "posix":
        (made.data_dir / "results" / os.fsdecode(b"caf\xe9")).write_bytes(b"name")
    with closing(sqlite3.connect(made.data_dir / "tunesmith.db")) as database, database:
        database.execute("CREATE TABLE numbers (number INTEGER)")
    return made


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("tunesmith.db"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_everything_but_models_and_halves_comes_back(settings: Settings, tmp_path: Path) -> None:
    made = back_up(settings, tmp_path / "b.tar")
    other = Settings(data_dir=tmp_path / "other")
    assert restore(other, tmp_path / "b.tar") == made
    expected = {name: content for name, content in contents(settings.data_dir).items() if name not in LEFT_OUT}
    assert contents(other.data_dir) == expected
    assert (made.files, made.database) == (len(expected), "sqlite")
    open_database(other).close()
    if os.name == "posix":
        modes = [(other.data_dir / name).stat().st_mode & 0o777 for name in ("tunesmith.db",)]
        assert [*modes, (tmp_path / "b.tar").stat().st_mode & 0o777] == [0o600, 0o600]
    assert {path.name for path in tmp_path.iterdir()} == {"b.tar", "data", "other"}


def test_a_backup_beside_a_writer_is_of_one_moment(settings: Settings, tmp_path: Path) -> None:
    stop, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        with closing(sqlite3.connect(settings.data_dir / "tunesmith.db", timeout=30)) as database:
            while not stop.is_set():
                with database:  # always in pairs, so that half a transaction would show
                    database.executemany("INSERT INTO numbers VALUES (?)", [(written,), (written,)])
                written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written < 5:
            assert writer.is_alive()
        back_up(settings, tmp_path / "b.tar")
    finally:
        stop.set()
        writer.join()
    other = Settings(data_dir=tmp_path / "other")
    restore(other, tmp_path / "b.tar")
    with closing(sqlite3.connect(other.data_dir / "tunesmith.db")) as database:
        (rows, most) = database.execute("SELECT COUNT(*), MAX(number) FROM numbers").fetchone()
    assert rows == 2 * (most + 1)
    assert 5 <= most + 1 <= written


def test_nothing_is_overwritten(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "there.tar").write_bytes(b"mine")
    with pytest.raises(InvalidRequest, match="already exists"):
        back_up(settings, tmp_path / "there.tar")
    assert (tmp_path / "there.tar").read_bytes() == b"mine"
    with pytest.raises(InvalidRequest, match="must lie outside the data folder"):
        back_up(settings, settings.data_dir / "b.tar")
    back_up(settings, tmp_path / "b.tar")
    before = (settings.data_dir / "tunesmith.db").read_bytes()
    with pytest.raises(InvalidRequest, match="move it away first"):
        restore(settings, tmp_path / "b.tar")
    assert (settings.data_dir / "tunesmith.db").read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.6, 0.97])
def test_a_backup_that_was_cut_is_refused_and_leaves_nothing(settings: Settings, tmp_path: Path, share: float) -> None:
    back_up(settings, tmp_path / "b.tar")
    whole = (tmp_path / "b.tar").read_bytes()
    last = whole.rindex(ABOUT.encode()) + 512 + 10  # behind the last entry there is only padding
    (tmp_path / "cut.tar").write_bytes(whole[: int(last * share)])
    other = Settings(data_dir=tmp_path / "other")
    with pytest.raises(InvalidRequest, match="is not a complete Tunesmith backup"):
        restore(other, tmp_path / "cut.tar")
    assert {path.name for path in other.data_dir.iterdir()} <= {"tunesmith.db.lock"}


@pytest.mark.parametrize("entry", [
    {"name": "data/../../evil"}, {"name": "/evil"}, {"name": "data/x", "type": tarfile.SYMTYPE, "linkname": "/etc"},
    {"name": "data/x", "type": tarfile.LNKTYPE, "linkname": "/etc/passwd"},
    {"name": "data/x", "type": tarfile.FIFOTYPE}, {"name": "data\\..\\evil"}, {"name": "elsewhere"},
], ids=str)  # fmt: skip
def test_an_archive_of_somebody_else_puts_nothing_anywhere(
    settings: Settings, tmp_path: Path, entry: dict[str, object]
) -> None:
    back_up(settings, tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar", "a") as archive:
        member = tarfile.TarInfo()
        for name, value in entry.items():
            setattr(member, name, value)
        archive.addfile(member, io.BytesIO())
    other = Settings(data_dir=tmp_path / "deep" / "other")
    with pytest.raises(InvalidRequest, match="unexpected entry"):
        restore(other, tmp_path / "b.tar")
    assert {path.name for path in (tmp_path / "deep").rglob("*")} <= {"other", "tunesmith.db.lock"}
    assert not (tmp_path / "evil").exists()


def test_a_damaged_database_in_a_backup_is_refused(settings: Settings, tmp_path: Path) -> None:
    back_up(settings, tmp_path / "b.tar")
    content = bytearray((tmp_path / "b.tar").read_bytes())
    content[512 + 100 : 512 + 8_000] = b"\xff" * 7_900
    (tmp_path / "b.tar").write_bytes(content)
    with pytest.raises((InvalidRequest, DatabaseError), match="damaged"):
        restore(Settings(data_dir=tmp_path / "other"), tmp_path / "b.tar")


def test_a_postgresql_database_stays_with_its_own_tools(postgresql: PostgreSQL, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=postgresql.new_database())
    (tmp_path / "data" / "results").mkdir(parents=True)
    (tmp_path / "data" / "results" / "x").write_bytes(b"music")
    made = back_up(settings, tmp_path / "b.tar")
    assert (made.database, made.files) == ("postgresql", 1)
    with pytest.raises(InvalidRequest, match="of a postgresql database, the settings name sqlite"):
        restore(Settings(data_dir=tmp_path / "other"), tmp_path / "b.tar")
    restore(Settings(data_dir=tmp_path / "other", database_url=settings.database_url), tmp_path / "b.tar")
    assert contents(tmp_path / "other") == {"results/x": b"music"}


def test_the_commands_say_what_they_did(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(settings.data_dir))
    file = str(tmp_path / "b.tar")
    assert run(["backup", file]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: {len(KEPT) + 1} files and the database")
    assert run(["restore", file]) == 2
    assert run(["restore", str(tmp_path / "none.tar")]) == 2
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "other"))
    assert run(["restore", file]) == 0
    assert f"restored {tmp_path / 'other'} as of 20" in capsys.readouterr().out
