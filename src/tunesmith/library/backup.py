"""Backup and restore of the data folder as one tar file; a backup can run beside the server.

::

    backup.json      version of Tunesmith, time, kind of database
    tunesmith.db     a consistent copy of the SQLite file; absent with PostgreSQL
    data/…           results, submitted recordings, uploads, undelivered webhooks, secrets

The database is copied first: it names only files that already exist, and files never change once named. Models and
downloads can be pulled again and are left out.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

import tunesmith
from tunesmith.config import Settings
from tunesmith.errors import AudioFileError, DatabaseError, InvalidRequest
from tunesmith.files import atomic_output
from tunesmith.library.database import FILE_NAME, Database, database_url
from tunesmith.library.repair import BESIDES, is_sound

FORMAT = 1
ABOUT, DATA = "backup.json", "data"
LEFT_OUT = ("models", "downloads", "results/incoming")
"""Folders whose content can be pulled again or is unfinished."""
PASSING = (".lock", ".part", ".partial", ".new")
PRIVATE = 0o600
# The file is untrusted: a longer one is cut, and then fails to parse.
LARGEST_ABOUT = 10_000


@dataclass(frozen=True, slots=True)
class Backup:
    """The description of a backup: ``database`` is sqlite or postgresql, ``files`` excludes the database."""

    format: int
    tunesmith: str
    created: str
    database: str
    files: int = 0


def back_up(settings: Settings, path: Path) -> Backup:
    """Write the data folder and the SQLite database to a tar file, all or nothing.

    Raises InvalidRequest if the file exists or lies in the data folder, and DatabaseError and AudioFileError.
    """
    folder = settings.data_dir.expanduser().resolve()
    if path.exists():
        raise InvalidRequest("file", f"{path} already exists; use another name, or move it away")
    # Inside the folder the backup would contain itself.
    if path.resolve().is_relative_to(folder):
        raise InvalidRequest("file", f"must lie outside the data folder {folder}, got {path}")
    database = Database(database_url(settings))
    database.close()
    kind = "sqlite" if database.is_sqlite else "postgresql"
    count = 0
    with atomic_output(path) as temporary, tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as work:
        # The archive holds secrets and token hashes.
        temporary.chmod(PRIVATE)
        with tarfile.open(temporary, "w") as archive:
            if database.is_sqlite:
                database.copy_to(Path(work) / FILE_NAME)
                archive.add(Path(work) / FILE_NAME, FILE_NAME)
            for file in _files(folder, Path(database.where) if database.is_sqlite else None):
                count += _add(archive, file, f"{DATA}/{file.relative_to(folder).as_posix()}")
            contents = Backup(
                FORMAT, tunesmith.__version__, datetime.now(UTC).isoformat(timespec="seconds"), kind, count
            )
            text = json.dumps(asdict(contents)).encode()
            # Last, because it holds the number of files: an archive cut short has no description.
            about = tarfile.TarInfo(ABOUT)
            about.size = len(text)
            archive.addfile(about, io.BytesIO(text))
    return contents


def restore(settings: Settings, path: Path) -> Backup:
    """Restore a backup into the data folder, which must hold no database; installed models stay.

    Raises InvalidRequest for an incomplete backup or if a database would be overwritten, and DatabaseError.
    """
    folder = settings.data_dir.expanduser().resolve()
    database = Database(database_url(settings)) if settings.database_url else None
    target = Path(database.where) if database and database.is_sqlite else folder / FILE_NAME
    if database:
        database.close()
    uses_sqlite = database is None or database.is_sqlite
    folder.mkdir(parents=True, exist_ok=True)
    # Unpack inside the data folder: moving into place is then an atomic rename on the same file system.
    with _alone(target), tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as work:
        contents = _unpacked(path, Path(work))
        copy = Path(work) / FILE_NAME
        if (contents.database == "sqlite") != uses_sqlite:
            here = "sqlite" if uses_sqlite else "postgresql"
            raise InvalidRequest("file", f"the backup is of a {contents.database} database, the settings name {here}")
        if uses_sqlite:
            if target.exists() and target.stat().st_size:
                raise InvalidRequest("data_dir", f"{target} already exists; stop the server and move it away first")
            if not copy.is_file() or not is_sound(copy):
                raise InvalidRequest("file", f"{path}: the database in it is damaged or missing")
        _put_in_place(Path(work) / DATA, folder)
        # The database comes last: an interrupted restore leaves no database that names missing files.
        if uses_sqlite:
            # A stale write-ahead log would be replayed into the restored file.
            for ending in BESIDES:
                target.with_name(target.name + ending).unlink(missing_ok=True)
            copy.chmod(PRIVATE)
            copy.replace(target)
    return contents


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    try:
        with FileLock(f"{database}.lock", timeout=0):
            yield
    except Timeout:
        raise DatabaseError(str(database), "is in use; stop what uses it first") from None


def _files(folder: Path, database: Path | None) -> Iterator[Path]:
    """Yield the files in the data folder that belong in a backup."""
    besides = {f"{database.resolve()}{ending}" for ending in BESIDES} if database else set()
    for parent, folders, names in os.walk(folder):
        inside = Path(parent).relative_to(folder)
        folders[:] = sorted(name for name in folders if (inside / name).as_posix() not in LEFT_OUT)
        for name in sorted(names):
            file = Path(parent, name)
            is_copy = name.startswith(f"{FILE_NAME}.schema-")
            if not (name.endswith(PASSING) or ".part." in name or is_copy or str(file) in besides):
                yield file


def _add(archive: tarfile.TarFile, file: Path, name: str) -> int:
    """Add a regular file, unless it was removed in the meantime; return the number of files added."""
    try:
        with file.open("rb") as source:
            member = archive.gettarinfo(arcname=name, fileobj=source)
            # A link could point to any file of the machine.
            if not member.isreg() or file.is_symlink():
                return 0
            archive.addfile(member, source)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise AudioFileError(f"file: cannot read {file}: {error.strerror or error}") from None
    return 1


def _unpacked(path: Path, folder: Path) -> Backup:
    """Unpack an archive into an empty folder. Raises InvalidRequest unless it is a complete backup."""
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                _unpack(archive, member, folder)
        fields = json.loads((folder / ABOUT).read_bytes()[:LARGEST_ABOUT])
        contents = Backup(**fields)
    except (tarfile.TarError, EOFError, ValueError, TypeError, FileNotFoundError) as error:
        reason = f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
        missing = not path.exists()
        problem = "file not found" if missing else f"is not a complete Tunesmith backup ({reason[:80]})"
        raise InvalidRequest("file", f"{path}: {problem}") from None
    if contents.format != FORMAT:
        raise InvalidRequest("file", f"{path}: must have format {FORMAT}, got {contents.format!r}; upgrade Tunesmith")
    return contents


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    expected = member.name in (ABOUT, FILE_NAME) or name.parts[:1] == (DATA,)
    # Path traversal: an archive is untrusted, so only plain files below known names are unpacked.
    if not member.isreg() or not expected or name.is_absolute() or {"..", ""} & set(name.parts) or "\\" in member.name:
        raise tarfile.TarError(f"unexpected entry {member.name[:60]!r}")
    target = folder.joinpath(*name.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    source = archive.extractfile(member)
    assert source
    # Mode "x" refuses an archive that has the same name twice.
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file)
    os.utime(target, (member.mtime, member.mtime))
    target.chmod(PRIVATE if member.mode & 0o077 == 0 else 0o644)


def _put_in_place(source: Path, folder: Path) -> None:
    """Move the files of one folder to the same relative paths in another."""
    for parent, _, names in os.walk(source):
        for name in names:
            target = folder / Path(parent).relative_to(source) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(parent, name).replace(target)
