"""Download: the required files of a repository, fetched into a folder of the store, resumable."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.models.hub import INCOMPLETE, BytesCallback, Hub
from tunesmith.models.repository_files import ReadText, RemoteFile, Repository
from tunesmith.models.store import Store, remove_folder

# The index of a model with hundreds of shards takes 1 MB.
MAX_TEXT_BYTES = 16_000_000


ChooseFiles = Callable[[Repository, ReadText], tuple[RemoteFile, ...]]
"""A function that chooses the files to download, after it has checked the small ones that say what they are."""


@dataclass(frozen=True, slots=True)
class Download:
    """A repository, reduced to its required files, and the target folder."""

    repository: Repository
    folder: Path

    @property
    def bytes(self) -> int:
        """Size of all required files in bytes."""
        return sum(file.bytes for file in self.repository.files)

    @property
    def missing_bytes(self) -> int:
        """Bytes that are still to be fetched."""
        return self.bytes - sum(min(self._present_bytes(file), file.bytes) for file in self.repository.files)

    def run(self, hub: Hub, received: BytesCallback) -> Path:
        """Fetch the missing files and return the folder; call it again to resume after an interruption.

        ``received`` gets the number of bytes as they arrive, and of those already present. Raises DownloadError.
        """
        for file in self.repository.files:
            hub.fetch(self.repository, file, self.folder, received)
        return self.folder

    def discard(self) -> None:
        """Remove the downloaded files."""
        remove_folder(self.folder.parent)
        # Other downloads share the folder above, which then is not empty.
        with suppress(OSError):
            self.folder.parent.parent.rmdir()

    def _present_bytes(self, file: RemoteFile) -> int:
        paths = (self.folder / file.name, self.folder / f"{file.name}{INCOMPLETE}")
        return next((path.stat().st_size for path in paths if path.is_file()), 0)


def plan_download(hub_id: str, revision: str | None, hub: Hub, store: Store, choose: ChooseFiles) -> Download:
    """Look up the files of a repository and choose the required ones, before anything large is fetched.

    Raises DownloadError, and the ModelFileError of ``choose`` if the repository holds no supported model.
    """
    repository = hub.repository(hub_id, revision)
    folder = store.download_folder(hub_id) / repository.commit
    # Files of another commit can never complete this download.
    _remove_other_commits(folder)

    def read_text(file: RemoteFile) -> str:
        _check_small(file.name, file.bytes)
        return read_small_text(hub.fetch(repository, file, folder, lambda _: None))

    try:
        files = choose(repository, read_text)
    except ModelFileError:
        # The files are of no use, so the next attempt starts clean.
        remove_folder(folder.parent)
        raise
    return Download(replace(repository, files=files), folder)


def read_small_text(path: Path) -> str:
    """Read a text file of a checkpoint. Raises ModelFileError if it is too large, missing or not UTF-8."""
    try:
        _check_small(path.name, path.stat().st_size)
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelFileError(str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelFileError(str(path), "is not text in UTF-8") from None


def _check_small(name: str, size: int) -> None:
    # A hostile repository must not fill the memory with a text file.
    if size > MAX_TEXT_BYTES:
        raise ModelFileError(name, f"must be at most {MAX_TEXT_BYTES} bytes, got {size}")


def _remove_other_commits(folder: Path) -> None:
    if folder.parent.is_dir():
        for other in folder.parent.iterdir():
            if other != folder:
                remove_folder(other)
