"""Recordings of live streams: they need room as uploads do, and one that fails leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from small_disk import SmallDisk, small_disk

from tunesmith.config import Settings
from tunesmith.errors import DiskFull, FolderUnavailable
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.uploads import Reserve, reserve_nothing
from tunesmith.library.migrate import open_database
from tunesmith.library.tracks import Tracks
from tunesmith.live_stream import LiveSettings
from tunesmith.models.catalog import find_listed
from tunesmith.server.apis.native.live_recording import LiveRecorder
from tunesmith.server.apis.native.live_session import SoundShape
from tunesmith.server.context import ApiContext
from tunesmith.server.errors import UploadsFull
from tunesmith.server.upload_limits import UploadBudget

SHAPE = SoundShape(48_000, 2, "pcm16")
SOUND = np.random.default_rng(1).bytes(48_000 * SHAPE.frame_bytes)
SETTINGS = LiveSettings.checked(prompt="lofi")


class UploadRoom:
    """Uploads without a limit but the room for them."""

    def __init__(self, reserve: Reserve) -> None:
        self._reserve = reserve

    async def check(self, owner: str | None) -> None:
        """Let everyone in."""

    async def count(self, owner: str | None, size: int) -> None:
        """Let everything in."""

    def reserve(self, size: int) -> AbstractContextManager[None]:
        return self._reserve(size)


class Recordings:
    """What recordings are kept in; ``record`` makes one."""

    def __init__(self, results: Path, tracks: Tracks) -> None:
        self.results = ResultFiles(results)
        self.tracks = tracks

    def record(self, reserve: Reserve = reserve_nothing) -> dict[str, Any]:
        context = SimpleNamespace(uploads=UploadRoom(reserve), results=self.results, tracks=self.tracks)
        recorder = LiveRecorder(cast("ApiContext", context), find_listed("composer"), 5, None)
        return asyncio.run(recorder(SOUND, SHAPE, SETTINGS, "wav"))

    def files(self) -> list[Path]:
        return [path for path in self.results.folder.rglob("*") if path.is_file() and path.name != ".lock"]


@pytest.fixture
def tracks(tmp_path: Path) -> Iterator[Tracks]:
    with closing(open_database(Settings(data_dir=tmp_path / "library"))) as database:
        yield Tracks(database)


def test_a_recording_for_which_there_is_no_room_is_refused_before_it_is_written(tmp_path: Path, tracks: Tracks) -> None:
    recordings = Recordings(tmp_path / "results", tracks)
    with pytest.raises(UploadsFull, match=r"has no room for 0\.192 MB"):
        recordings.record(UploadBudget([tmp_path], len(SOUND) - 1).reserve)
    assert recordings.files() == []
    assert tracks.count() == 0
    recordings.record(UploadBudget([tmp_path / "inputs"], len(SOUND)).reserve)
    assert len(recordings.files()) == tracks.count() == 1


def test_a_disk_that_fills_meanwhile_is_told_and_leaves_nothing(tmp_path: Path, tracks: Tracks) -> None:
    with small_disk(tmp_path / "disk", 1_000) as disk:
        _fill_and_record(disk, Recordings(disk.folder / "results", tracks))
    assert tracks.count() == 1


def _fill_and_record(disk: SmallDisk, recordings: Recordings) -> None:
    disk.fill()
    with pytest.raises(DiskFull, match=r"^the disk is full: the live stream could not be recorded$"):
        recordings.record()
    assert recordings.files() == []
    disk.empty()
    recordings.record()
    (kept,) = recordings.files()
    assert kept.stat().st_size > len(SOUND)


def test_a_folder_that_cannot_be_written_to_is_named_without_its_place(
    tmp_path: Path, tracks: Tracks, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = Recordings(tmp_path / "results", tracks)
    monkeypatch.setattr(recordings.results, "new", lambda suffix: tmp_path / "nowhere" / f"a{suffix}")
    with pytest.raises(FolderUnavailable) as caught:
        recordings.record()
    assert caught.value.problem == "folder results cannot be used: the live stream could not be written there"
