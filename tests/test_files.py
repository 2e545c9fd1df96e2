"""Atomic files: whole or not there, in the place that a link leads to, and replaced while a lock is held."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from tunesmith.errors import AudioFileError
from tunesmith.files import atomic_output, atomic_path, atomic_write, file_sha256, is_sha256


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with atomic_path(path) as temporary:
        assert temporary.suffix == ".wav"
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def write_half(file: BinaryIO) -> None:
    file.write(b"new")
    raise OSError(28, "full")


def test_an_error_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="full"), atomic_write(path) as file:
        write_half(file)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="links and permissions are those of Unix")
def test_a_link_stays_a_link_and_the_permissions_are_those_asked_for(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "link"
    link.symlink_to(path)
    with atomic_path(link, mode=0o600) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_lock_is_held_only_while_the_file_takes_its_place(tmp_path: Path) -> None:
    path, seen = tmp_path / "a", []

    @contextmanager
    def lock() -> Iterator[None]:
        seen.append(path.exists())
        yield
        seen.append(path.exists())

    with atomic_path(path, lock=lock()):
        assert seen == []
    assert seen == [False, True]


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"output: cannot write .*there is no folder"):
        atomic_output(tmp_path / "none" / "a").__enter__()
    with pytest.raises(AudioFileError, match=r"output: cannot write .*full"), atomic_output(tmp_path / "a"):
        raise OSError(5, "full")
    assert list(tmp_path.iterdir()) == []


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    digest = file_sha256(tmp_path / "a")
    assert digest == hashlib.sha256(content).hexdigest()
    assert is_sha256(digest)
    assert not any(map(is_sha256, (digest[:-1], f"{digest}\n", digest.upper(), "")))
