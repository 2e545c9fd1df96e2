"""The manifest: the items of a batch folder and their states, one JSON object per line.

A change appends a line. The last line of an item counts, and a line cut off by a crash is ignored. At the start and the
end of a run the file is rewritten atomically, with one line per item.
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

from tunesmith.errors import AudioFileError, DiskFull, InvalidRequest
from tunesmith.files import atomic_output, is_full

NAME = "manifest.jsonl"
LOCK = ".tunesmith-batch.lock"
State = Literal["waiting", "made", "failed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table and its result.

    ``id`` identifies the content of a row, wherever the row is; ``row`` counts from 1, ``line`` is where it starts;
    ``file`` is relative to the folder and has the SHA-256 ``digest``; ``seconds`` is the generation time, ``duration``
    the length of the audio, ``track`` its id in the prompt log; ``warnings`` are those about the audio.
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
    """The manifest of a folder, to which this process has exclusive access."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self._entries = {entry.id: entry for entry in _read(self.path)}

    def find(self, entry_id: str) -> Entry | None:
        """Return the entry of a row; None if there is none."""
        return self._entries.get(entry_id)

    def files(self) -> set[str]:
        """Return the files of all rows, generated or not."""
        return {entry.file for entry in self._entries.values()}

    def is_done(self, entry: Entry) -> bool:
        """Return whether a row's file was generated and still exists."""
        return entry.state == "made" and (self.folder / entry.file).is_file()

    def begin(self, entries: Iterable[Entry]) -> None:
        """Add the rows of a table; rows of earlier tables stay behind them, unless their files now belong to others."""
        now = {entry.id: entry for entry in entries}
        taken = {entry.file for entry in now.values()}
        kept = {name: old for name, old in self._entries.items() if name not in now and old.file not in taken}
        self._entries = {**now, **kept}
        self.save()

    def put(self, entry: Entry) -> None:
        """Record the state of a row, durably before this returns. Raises AudioFileError or DiskFull."""
        self._entries[entry.id] = entry
        line = _line(entry)
        try:
            # Append mode with one write: a crash can cut only the last line, which the reader ignores.
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                # A short write is no error to os.write; it means that the disk is full.
                if os.write(file, line) < len(line):
                    raise DiskFull(f"output: cannot write {self.path}: the disk is full")
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            kind = DiskFull if is_full(error) else AudioFileError
            raise kind(f"output: cannot write {self.path}: {error.strerror}") from None

    def save(self) -> None:
        """Rewrite the file with one line per row. Raises AudioFileError, and then leaves the file unchanged."""
        with atomic_output(self.path) as temporary:
            temporary.write_bytes(b"".join(map(_line, self._entries.values())))


@contextmanager
def manifest_of(folder: Path) -> Iterator[BatchManifest]:
    """Yield the manifest of a folder, with exclusive access; create the folder if needed.

    Removes a new folder again if it stays empty. Raises InvalidRequest if another process uses the folder, or if the
    folder or its manifest is unusable.
    """
    is_new = not folder.exists()
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidRequest(
            "out", f"another batch is running in {folder}; wait for it, or use another folder"
        ) from None
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
    """Return an entry as a line of JSON; characters that UTF-8 cannot encode are escaped."""
    return (json.dumps(asdict(entry), ensure_ascii=False, default=str) + "\n").encode(errors="backslashreplace")


def _read(path: Path) -> Iterator[Entry]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidRequest("out", f"cannot read {path}: {error.strerror}") from None
    # Ignore fields of a newer version.
    known = {one.name for one in fields(Entry)}
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            kept = {name: value for name, value in values.items() if name in known}
            yield Entry(**{**kept, "warnings": tuple(kept.get("warnings", ()))})
        except (ValueError, TypeError, AttributeError, RecursionError):
            if number == len(lines):
                # The last line was cut off by a crash.
                return
            problem = f"{path} is not a Tunesmith manifest: line {number}; use another folder, or move the file away"
            raise InvalidRequest("out", problem) from None
