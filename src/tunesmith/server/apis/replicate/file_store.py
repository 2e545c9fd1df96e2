"""FileStore: uploaded files, each in its own folder under an unguessable id, kept for a day.

::

    files/
        01hx…/content      the bytes
        01hx…/about.json   what is known of them, written last: a folder without it is not a file yet
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from tunesmith.jobs.job import new_job_id
from tunesmith.jobs.results import ensure_folder, writing_to
from tunesmith.jobs.uploads import Reserve, reserve_nothing
from tunesmith.library.clock import Clock
from tunesmith.server.apis.replicate.errors import ProblemDetail

KEPT_SECONDS = 86_400.0
MAX_FILE_BYTES = 100 * 10**6
_ID = re.compile(r"[0-9a-z]{42}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An uploaded file; times are Unix timestamps in seconds, checksums hexadecimal."""

    id: str
    owner: str | None
    name: str
    content_type: str
    size: int
    sha256: str
    md5: str
    metadata: Mapping[str, Any]
    created_at: float

    @property
    def expires_at(self) -> float:
        """The time of its removal, a Unix timestamp."""
        return self.created_at + KEPT_SECONDS


@dataclass(frozen=True, slots=True)
class Upload:
    """The metadata of a file being uploaded."""

    owner: str | None
    name: str
    content_type: str
    metadata: Mapping[str, Any]


class FileStore:
    """The folder of uploaded files. Safe to share between processes."""

    def __init__(self, folder: Path, clock: Clock = time.time, reserve: Reserve = reserve_nothing) -> None:
        self._folder = folder
        self._clock = clock
        self._reserve = reserve

    def add(self, upload: Upload, content: BinaryIO) -> UploadedFile:
        """Store a file. Raises ProblemDetail (413) if it is too large, UploadsFull and DiskFull."""
        # Expired files make room for the new one.
        self.prune()
        with self._reserve(min(_size_of(content), MAX_FILE_BYTES)), writing_to(self._folder, "the file"):
            return self._added(upload, content)

    def _added(self, upload: Upload, content: BinaryIO) -> UploadedFile:
        file_id = new_job_id(self._clock())
        place = self._folder / file_id
        place.mkdir(parents=True)
        try:
            size, sha256, md5 = _copied(content, place / "content")
            stored = UploadedFile(
                file_id, upload.owner, upload.name, upload.content_type, size, sha256, md5, dict(upload.metadata),
                self._clock(),
            )  # fmt: skip
            (place / "about.json").write_text(json.dumps(asdict(stored)), encoding="utf-8")
        except BaseException:
            # A partial upload must not stay, not even after a cancellation.
            shutil.rmtree(place, ignore_errors=True)
            raise
        return stored

    def get(self, file_id: str, owner: str | None) -> UploadedFile:
        """Return a file of the owner. Raises ProblemDetail (404)."""
        about = self._folder / file_id / "about.json"
        # The id becomes a path, so its form is checked first.
        if not _ID.fullmatch(file_id) or not about.is_file():
            raise _not_found(file_id)
        stored = UploadedFile(**json.loads(about.read_text(encoding="utf-8")))
        if stored.expires_at < self._clock() or (owner is not None and stored.owner != owner):
            raise _not_found(file_id)
        return stored

    def content(self, file_id: str, owner: str | None) -> bytes:
        """Return the content of a file of the owner. Raises ProblemDetail (404)."""
        return self.path(self.get(file_id, owner)).read_bytes()

    def path(self, stored: UploadedFile) -> Path:
        """Return the path of a file's content."""
        return self._folder / stored.id / "content"

    def remove(self, file_id: str, owner: str | None) -> None:
        """Remove a file of the owner. Raises ProblemDetail (404)."""
        shutil.rmtree(self._folder / self.get(file_id, owner).id)

    def prune(self, most: int | None = None) -> int:
        """Remove expired files, at most ``most``; return how many."""
        ensure_folder(self._folder)
        # Ids sort by time, so expired files are found without reading any of them.
        youngest_to_go = new_job_id(self._clock() - KEPT_SECONDS, bytes)
        over = (one for one in self._folder.iterdir() if _ID.fullmatch(one.name) and one.name < youngest_to_go)
        removed = list(islice(over, most))
        for place in removed:
            shutil.rmtree(place, ignore_errors=True)
        return len(removed)

    def page(self, owner: str | None, limit: int, before: str | None) -> list[UploadedFile]:
        """Return the owner's files, newest first, older than the id ``before``."""
        ids = sorted((one.parent.name for one in self._folder.glob("*/about.json")), reverse=True)
        older = (one for one in ids if before is None or one < before)
        return [stored for _, stored in zip(range(limit), self._readable(older, owner), strict=False)]

    def named_by(self, url: str, origin: str) -> str | None:
        """Return the id of the file that a URL of this server names, or None for any other URL."""
        prefix = f"{origin}/v1/files/"
        return url.removeprefix(prefix).partition("?")[0].removesuffix("/download") if url.startswith(prefix) else None

    def _readable(self, ids: Iterator[str], owner: str | None) -> Iterator[UploadedFile]:
        for file_id in ids:
            try:
                yield self.get(file_id, owner)
            except (ProblemDetail, OSError):
                # Another owner's file, or one that was removed meanwhile.
                continue


def _size_of(content: BinaryIO) -> int:
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    return size


def _copied(source: BinaryIO, target: Path) -> tuple[int, str, str]:
    # The MD5 is an ETag for clients and protects nothing.
    size, sha256, md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise ProblemDetail(413, f"A file must be at most {MAX_FILE_BYTES} bytes.", "Payload too large")
            sha256.update(chunk)
            md5.update(chunk)
            file.write(chunk)
    return size, sha256.hexdigest(), md5.hexdigest()


def _not_found(file_id: str) -> ProblemDetail:
    return ProblemDetail(404, f"There is no file {file_id[:80]!r}.")
