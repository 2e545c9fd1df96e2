"""A full disk: callers are told, nothing half-written is left, and all goes on once there is room."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from serving import Serving, serving
from small_disk import SmallDisk, small_disk
from sounds import wav_bytes

from tunesmith.errors import DiskFull, FolderUnavailable
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.uploads import UploadStore
from tunesmith.server.apis.replicate.files import FileStore, Upload

KILOBYTES = 2_000
"""Room for the database and a second of music."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "data", KILOBYTES) as disk:
        yield disk


@pytest.fixture
def server(disk: SmallDisk, tmp_path: Path) -> Iterator[Serving]:
    """Give a server whose music, but not its database, is on the small disk."""
    assert disk.folder.is_mount()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNESMITH_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
        with serving(tmp_path, composer_processes="1") as one:
            yield one


def test_music_that_does_not_fit_is_told_and_leaves_nothing(server: Serving, disk: SmallDisk) -> None:
    bodies: list[tuple[str, dict[str, object]]] = [
        ("/models/composer", {"inputs": "calm piano", "parameters": {"duration": 3}}),
        ("/api/generate", {"prompt": "calm piano", "duration": 3}),
        ("/v1/music", {"prompt": "calm piano", "music_length_ms": 3_000}),
    ]
    disk.fill()
    for path, body in bodies:
        answer = httpx.post(server.url + path, json=body, timeout=60)
        assert answer.status_code == 507, answer.text
        assert "the disk is full" in answer.text
        assert str(disk.folder) not in answer.text
    assert disk.files("results") in ([], [disk.folder / "results/.lock"])
    disk.empty()
    for path, body in bodies:
        assert httpx.post(server.url + path, json=body, timeout=60).status_code == 200


def test_a_database_that_cannot_grow_takes_nothing_and_loses_nothing(tmp_path: Path, disk: SmallDisk) -> None:
    with serving(tmp_path, composer_processes="1") as server:
        before = httpx.post(f"{server.url}/api/jobs", json={"prompt": "/never", "model": "patient"}).json()
        disk.fill()
        refused = [httpx.post(f"{server.url}/api/jobs", json={"prompt": "x" * 2000}, timeout=60) for _ in range(20)]
        full = refused[-1]
        assert full.status_code == 507
        assert full.json()["error"]["message"] == "the server's database cannot grow: the disk is full"
        disk.empty()
        assert httpx.get(f"{server.url}/api/jobs/{before['id']}").status_code == 200
        assert httpx.post(f"{server.url}/api/jobs", json={"prompt": "calm piano"}).status_code == 202


def test_a_full_temporary_folder_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = ("a.wav", wav_bytes(70, sample_rate=16_000), "audio/wav")
    forms: list[tuple[str, dict[str, str], str]] = [
        ("/api/jobs", {"prompt": "calm"}, "melody"), ("/v1/files", {}, "content"), ("/api/edits", {}, "source")
    ]  # fmt: skip
    with small_disk(tmp_path / "temporary", 2 * KILOBYTES) as disk:
        monkeypatch.setenv("TMPDIR", str(disk.folder))
        with serving(tmp_path, composer_processes="1") as server:
            # A program looks once for a temporary folder, and passes over a full one.
            httpx.post(f"{server.url}/v1/files", files={"content": sound}, timeout=60).raise_for_status()
            before = disk.files("")
            disk.fill()
            for path, fields, name in forms:
                answer = httpx.post(server.url + path, data=fields, files={name: sound}, timeout=60)
                assert answer.status_code == 507, answer.text
                assert "the disk is full" in answer.text
            disk.empty()
            assert disk.files("") == before
            assert "Traceback" not in server.process.log
            answer = httpx.post(f"{server.url}/v1/files", files={"content": sound}, timeout=60)
            assert answer.status_code == 201


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system say that the disk is full as soon as something is to be safe on it, or in its place."""
    fail_to_keep(monkeypatch, errno.ENOSPC, "No space left on device")


def fail_to_keep(monkeypatch: pytest.MonkeyPatch, code: int, reason: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, reason)

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(os, "replace", fail)


def keep_input(folder: Path) -> object:
    return UploadStore(folder).keep(wav_bytes(), "audio")


def keep_result(folder: Path) -> object:
    return ResultFiles(folder).add(b"sound")


class FullAtOnce(BytesIO):
    """An upload that does not fit."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError(errno.ENOSPC, f"No space left on device for {size} bytes")


def keep_upload(folder: Path) -> object:
    return FileStore(folder).add(Upload(None, "a.wav", "audio/wav", {}), FullAtOnce())


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("keep", [keep_input, keep_result, keep_upload])
def test_a_file_that_does_not_fit_is_not_there_at_all(tmp_path: Path, keep: Callable[[Path], object]) -> None:
    with pytest.raises(DiskFull, match=r"the disk is full: the .* could not be stored"):
        keep(tmp_path / "kept")
    assert [path for path in (tmp_path / "kept").rglob("*") if path.is_file() and path.name != ".lock"] == []


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_another_failure_of_the_disk_is_not_called_a_full_one(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_keep(monkeypatch, code, "another failure")
    with pytest.raises(FolderUnavailable, match="cannot be used: another failure"):
        keep_result(tmp_path)
