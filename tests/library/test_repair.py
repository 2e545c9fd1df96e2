"""A damaged SQLite file: what can be read is saved, and nothing is thrown away."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from databases import PostgreSQL

from tunesmith.cli import run
from tunesmith.config import Settings
from tunesmith.errors import DatabaseError
from tunesmith.library.migrate import open_database
from tunesmith.library.repair import repair
from tunesmith.library.tracks import Marks, NewTrack, TrackFilter, Tracks

TRACKS = 1000
ALL = TrackFilter()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of a database with many tracks, the last of them starred."""
    settings = Settings(data_dir=tmp_path)
    with closing(open_database(settings)) as database:
        tracks = Tracks(database)
        prompts = (f"piano number {number} {'in the rain ' * 20}" for number in range(TRACKS))
        added = tracks.add(*(NewTrack({"prompt": prompt, "seed": 1}, "composer", "composer", "cli", 1.0)
                             for prompt in prompts))  # fmt: skip
        tracks.mark(added[-1].id, Marks(starred=True))
    with closing(sqlite3.connect(tmp_path / "tunesmith.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return settings


def damage(settings: Settings, first: float, last: float) -> bytes:
    """Overwrite a part of the file, given in fractions of it; return what it then is."""
    path = settings.data_dir / "tunesmith.db"
    content = path.read_bytes()
    begin, end = (round(len(content) * part) // 4096 * 4096 for part in (first, last))
    path.write_bytes(content[:begin] + b"\xa5" * (end - begin) + content[end:])
    return path.read_bytes()


def test_what_can_be_read_is_saved_and_found_by_its_words(settings: Settings) -> None:
    damaged = damage(settings, 0.5, 0.6)
    repaired = repair(settings)
    assert repaired
    assert TRACKS * 0.5 < repaired.rows["tracks"] < TRACKS
    assert repaired.damaged.read_bytes() == damaged
    assert not list(settings.data_dir.glob("*.repaired*"))
    with closing(open_database(settings)) as database:
        tracks = Tracks(database)
        assert len(list(tracks.every(ALL))) == repaired.rows["tracks"]
        assert [track.starred for track in tracks.page(TrackFilter(search="number 999"), 5).tracks] == [True]
    assert repair(settings) is None


def test_a_sound_file_is_left_alone(settings: Settings) -> None:
    before = (settings.data_dir / "tunesmith.db").read_bytes()
    assert repair(settings) is None
    assert (settings.data_dir / "tunesmith.db").read_bytes() == before
    assert not list(settings.data_dir.glob("*.damaged*"))


def test_a_file_that_is_no_database_makes_room_for_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "tunesmith.db").write_bytes(b"no database" * 1000)
    repaired = repair(Settings(data_dir=tmp_path))
    assert repaired
    assert set(repaired.rows.values()) == {0}
    assert repaired.damaged.read_bytes() == b"no database" * 1000


def test_a_file_in_use_is_not_touched(settings: Settings) -> None:
    damaged = damage(settings, 0.5, 0.6)
    path = settings.data_dir / "tunesmith.db"
    holds = "import filelock, sys; a = filelock.FileLock(sys.argv[1]); a.acquire(); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holds, f"{path}.lock"], stdin=-1, stdout=-1) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(DatabaseError, match="is in use"):
            repair(settings)
        other.communicate()
    assert path.read_bytes() == damaged


def test_postgresql_is_not_ours_to_repair(postgresql: PostgreSQL) -> None:
    with pytest.raises(DatabaseError, match="PostgreSQL's own tools"):
        repair(Settings(database_url=postgresql.new_database()))


def test_the_command_line_says_what_was_saved(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(settings.data_dir))
    assert run(["log", "repair"]) == 0
    assert capsys.readouterr().out == "nothing to repair: the database is intact\n"
    damage(settings, 0.0, 0.05)
    assert run(["log"]) == 1
    assert "tunesmith log repair" in capsys.readouterr().err
    assert run(["log", "repair"]) == 0
    assert "the damaged file is " in capsys.readouterr().out
    assert run(["log", "--json"]) == 0
