"""The manifest: what a batch is to make in a folder and how far each row is, one JSON object a line.

A change is a line behind the others, the last line of a row counts, and a line cut off by a crash is passed over; at
the beginning and the end of a run the file is written anew, whole or not at all, with one line a row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from tunesmith.audio.writer import atomic_write
from tunesmith.disk_full import is_full
from tunesmith.errors import AudioFileError, DiskFull, InvalidRequest

NAME = "manifest.jsonl"
LOCK = ".tunesmith-batch.lock"
State = Literal["waiting", "made", "failed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the sheet and what came of it.

    ``id`` names what was asked for, wherever the row stands; ``row`` counts from 1, ``line`` is where it begins;
    ``file`` lies in the folder and has the SHA-256 ``digest``; ``seconds`` is what making it took, ``duration`` how
    long it plays; ``track`` is its id in the prompt log; ``warnings`` are those about the music.
    """

    id: str
    row: int
    line: int
    request: Mapping[str, Any]
    file: str
    state: State = "waiting"
    digest: str | None = None
    seconds: float | None = None
    duration: float | None = None
    error: str | None = None
    tries: int = 0
    track: str | None = None
    warnings: tuple[str, ...] = ()


class BatchManifest:
    """The manifest of a folder that this process has for itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self._entries = {entry.id: entry for entry in _read(self.path)}

    def find(self, entry_id: str) -> Entry | None:
        """Return what is known of a row."""
        return self._entries.get(entry_id)

    def files(self) -> set[str]:
        """Return the files that rows have, made or not."""
        return {entry.file for entry in self._entries.values()}

    def is_done(self, entry: Entry) -> bool:
        """Whether a row's file was made and is still there."""
        return entry.state == "made" and (self.folder / entry.file).is_file()

    def begin(self, entries: Iterable[Entry]) -> None:
        """Put the rows of a sheet in, those of earlier sheets behind them but for those whose files are now others'."""
        now = {entry.id: entry for entry in entries}
        taken = {entry.file for entry in now.values()}
        kept = {name: old for name, old in self._entries.items() if name not in now and old.file not in taken}
        self._entries = {**now, **kept}
        self.save()

    def put(self, entry: Entry) -> None:
        """Note how a row is now; on the disk before this returns. Raises AudioFileError where that cannot be."""
        self._entries[entry.id] = entry
        line = _line(entry)
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                if os.write(file, line) < len(line):
                    raise DiskFull(f"output: cannot write {self.path}: the disk is full")
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            kind = DiskFull if is_full(error) else AudioFileError
            raise kind(f"output: cannot write {self.path}: {error.strerror}") from None

    def save(self) -> None:
        """Write the file anew, one line a row. Raises AudioFileError where that cannot be; then it is as it was."""
        with atomic_write(self.path) as temporary:
            temporary.write_bytes(b"".join(map(_line, self._entries.values())))


@contextmanager
def manifest_of(folder: Path) -> Iterator[BatchManifest]:
    """Give the manifest of a folder, made where it is missing, to one process at a time.

    A new folder in which nothing was put is taken away again. Raises InvalidRequest where another process has it, or
    where the folder or its manifest cannot be used.
    """
    is_new = not folder.exists()
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidRequest("out", f"another batch is being made in {folder}; wait for it, or take another") from None
    except OSError as error:
        raise InvalidRequest("out", f"cannot write in the folder {folder}: {error.strerror}") from None
    try:
        yield BatchManifest(folder)
    finally:
        lock.release()
        if is_new and not any(one.name != LOCK for one in folder.iterdir()):
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()


def _line(entry: Entry) -> bytes:
    """Return an entry as a line; what is no text, as in an error about a file's name, becomes an escape of JSON's."""
    return (json.dumps(asdict(entry), ensure_ascii=False, default=str) + "\n").encode(errors="backslashreplace")


def _read(path: Path) -> Iterator[Entry]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidRequest("out", f"cannot read {path}: {error.strerror}") from None
    known = {one.name for one in fields(Entry)}
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            kept = {name: value for name, value in values.items() if name in known}
            yield Entry(**{**kept, "warnings": tuple(kept.get("warnings", ()))})
        except (ValueError, TypeError, AttributeError, RecursionError):
            if number == len(lines):
                return  # cut off while it was being written
            problem = f"{path} is not a manifest of Tunesmith's: line {number}; take another folder, or move it away"
            raise InvalidRequest("out", problem) from None
