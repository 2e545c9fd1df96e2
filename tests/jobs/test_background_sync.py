"""Background sync: every file and folder reaches the disk, and nobody waits for it but who asks to."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tunesmith.jobs.results import BackgroundSync


@pytest.fixture
def synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the real paths of what is synced in the test's folder, in order."""
    paths: list[str] = []
    sync = os.fsync

    def record(handle: int) -> None:
        sync(handle)
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_relative_to(tmp_path):  # other tests' files may be synced at the same time
            paths.append(str(path))

    monkeypatch.setattr(os, "fsync", record)
    return paths


def test_each_file_is_synced_before_its_folder_and_a_folder_once(tmp_path: Path, synced: list[str]) -> None:
    sync, files = BackgroundSync(delay=0), [tmp_path / name for name in "abc"]
    ready, hold = threading.Event(), threading.Event()

    def keep_busy() -> None:
        ready.set()
        hold.wait(60)

    sync._thread.submit(keep_busy)
    assert ready.wait(60)
    for file in files:
        file.write_bytes(b"sound")
        sync.add(file)
    assert synced == []
    hold.set()
    sync.flush()
    assert synced == [*map(str, files), str(tmp_path)]


def test_a_file_that_is_gone_stops_nothing(tmp_path: Path, synced: list[str]) -> None:
    sync, kept = BackgroundSync(delay=0), tmp_path / "kept"
    kept.write_bytes(b"sound")
    sync.add(tmp_path / "gone" / "file")
    sync.add(kept)
    sync.flush()
    assert str(kept) in synced


def test_what_the_disk_refuses_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    file = tmp_path / "file"
    file.write_bytes(b"sound")
    sync = BackgroundSync(delay=0)
    sync.add(file)
    sync.flush()
    assert f"cannot sync {file}: Input/output error" in caplog.text


def test_there_is_nothing_to_wait_for_at_first() -> None:
    BackgroundSync(delay=0).flush()
