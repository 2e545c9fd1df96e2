"""Uploaded files: whose they are, how long, and how large."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from tunesmith.server.apis.replicate.errors import ProblemDetail
from tunesmith.server.apis.replicate.files import KEPT_SECONDS, FileStore, Upload


def _upload(owner: str | None = "ann") -> Upload:
    return Upload(owner, "../../a.wav", "audio/wav", {})


def test_a_file_comes_back_as_it_was_and_its_name_is_only_shown(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    stored = store.add(_upload(), io.BytesIO(b"sound"))
    assert store.content(stored.id, "ann") == b"sound"
    assert (stored.sha256, stored.size) == (hashlib.sha256(b"sound").hexdigest(), 5)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["about.json", "content"]


def test_a_file_is_its_owners(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    stored = store.add(_upload(), io.BytesIO(b"sound"))
    for other in ("bob", ""):
        with pytest.raises(ProblemDetail):
            store.get(stored.id, other)
    assert store.get(stored.id, None) == stored


def test_a_file_is_kept_for_a_day(tmp_path: Path) -> None:
    now = [1_700_000_000.0]
    store = FileStore(tmp_path, lambda: now[0])
    old = store.add(_upload(), io.BytesIO(b"old"))
    now[0] += KEPT_SECONDS + 1
    with pytest.raises(ProblemDetail):
        store.get(old.id, "ann")
    new = store.add(_upload(), io.BytesIO(b"new"))
    assert [place.name for place in tmp_path.iterdir()] == [new.id]


def test_files_whose_day_is_over_go_a_few_at_a_time(tmp_path: Path) -> None:
    now = [1_700_000_000.0]
    store = FileStore(tmp_path, lambda: now[0])
    for _ in range(3):
        store.add(_upload(), io.BytesIO(b"old"))
        now[0] += 1
    now[0] += KEPT_SECONDS - 1.5
    assert [store.prune(1), store.prune(1), store.prune(1)] == [1, 1, 0]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_is_too_large_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.server.apis.replicate.files.MAX_FILE_BYTES", 4)
    with pytest.raises(ProblemDetail, match="at most 4 bytes"):
        FileStore(tmp_path).add(_upload(), io.BytesIO(b"sound"))
    assert list(tmp_path.iterdir()) == []


def test_only_addresses_of_this_server_name_its_files(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert store.named_by("http://a.test/v1/files/x/download?y", "http://a.test") == "x"
    assert store.named_by("http://b.test/v1/files/x", "http://a.test") is None
