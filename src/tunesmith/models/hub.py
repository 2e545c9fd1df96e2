"""Hub: the files of model repositories, listed and fetched through huggingface_hub.

Token, endpoint, cache and offline mode are those of huggingface_hub (HF_TOKEN, HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE).
huggingface_hub resumes a partial file only within one process; this module also resumes one of an earlier process, from
``FILE.incomplete``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import DownloadError
from tunesmith.files import file_sha256
from tunesmith.models.repository_files import CARD_FIELDS, RemoteFile, Repository, card_licence

INCOMPLETE = ".incomplete"
TIMEOUT_SECONDS = 20.0

BytesCallback = Callable[[int], None]
"""A callback that gets the number of bytes received since the last call."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub: its ``endpoint`` and ``cache_folder``, or None for huggingface_hub's own."""

    endpoint: str | None = None
    cache_folder: Path | None = None

    def repository(self, hub_id: str, revision: str | None = None) -> Repository:
        """Look up the files of a repository at a revision; in offline mode, in the cache. Raises DownloadError."""
        from huggingface_hub import HfApi, constants

        if constants.HF_HUB_OFFLINE:
            return self._cached_repository(hub_id, revision)
        with _translate_hub_errors(hub_id):
            info = HfApi(endpoint=self.endpoint).model_info(
                hub_id, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS
            )
        files = tuple(
            RemoteFile(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else None) for one in info.siblings or ()
        )
        card = {name: getattr(info.card_data, name, None) for name in CARD_FIELDS}
        return Repository(hub_id, info.sha or revision or "main", card_licence(card), files)

    def fetch(self, repository: Repository, file: RemoteFile, folder: Path, received: BytesCallback) -> Path:
        """Fetch a file into the folder, unless it is there, and return its path; resumes a partial file.

        ``received`` gets the number of bytes as they arrive, and of those already present. Raises DownloadError.
        """
        from huggingface_hub import constants

        path = folder / file.name
        # An earlier pull has completed it.
        if path.is_file() and path.stat().st_size == file.bytes:
            received(file.bytes)
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        cached = self._cached(repository, file.name)
        if cached is not None:
            _link(cached, path)
            received(file.bytes)
            return path
        if constants.HF_HUB_OFFLINE:
            raise DownloadError(repository.hub_id, f"{file.name} is not in the cache, and HF_HUB_OFFLINE is set")
        incomplete = folder / f"{file.name}{INCOMPLETE}"
        with _translate_hub_errors(f"{repository.hub_id}, file {file.name}"):
            self._download(repository, file, incomplete, received)
        if file.sha256 and file_sha256(incomplete) != file.sha256:
            incomplete.unlink()
            raise DownloadError(
                repository.hub_id, f"{file.name} was damaged in download: its SHA-256 differs; pull again"
            )
        # Only a complete file gets its final name.
        incomplete.replace(path)
        return path

    def _download(self, repository: Repository, file: RemoteFile, incomplete: Path, received: BytesCallback) -> None:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented, not exported

        there = incomplete.stat().st_size if incomplete.exists() else 0
        # A longer file is not a prefix of this one, so it cannot be resumed.
        if there > file.bytes:
            incomplete.unlink()
            there = 0
        received(there)
        # Appended, so that an interrupted download can resume.
        with incomplete.open("ab") as sink:
            http_get(
                hf_hub_url(repository.hub_id, file.name, revision=repository.commit, endpoint=self.endpoint),
                sink,
                resume_size=there,
                headers=build_hf_headers(),
                expected_size=file.bytes,
                tqdm_class=_counter(received),
            )

    def _cached(self, repository: Repository, name: str) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(repository.hub_id, name, cache_dir=self.cache_folder, revision=repository.commit)
        return Path(found) if isinstance(found, str) else None

    def _cached_repository(self, hub_id: str, revision: str | None) -> Repository:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            found = snapshot_download(hub_id, revision=revision, cache_dir=self.cache_folder, local_files_only=True)
        except LocalEntryNotFoundError:
            problem = "it is not in the cache of huggingface_hub, and HF_HUB_OFFLINE is set"
            raise DownloadError(hub_id, problem) from None
        return Repository.of_folder(hub_id, Path(found))


def _link(source: Path, path: Path) -> None:
    """Provide a file of the cache at the path: as a hard link, else as a symbolic link, else as a copy."""
    # A file of the cache is a link itself, so link to the file that it points to.
    original = source.resolve()
    with suppress(OSError):
        # Gigabytes are neither copied nor stored twice.
        os.link(original, path)
        return
    with suppress(OSError):
        path.symlink_to(original)
        return
    shutil.copyfile(original, path)


def _counter(received: BytesCallback) -> Any:
    """Return a class in place of http_get's progress bar that only counts."""

    class Counter:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __enter__(self) -> Counter:
            return self

        def __exit__(self, *_: object) -> None: ...

        def update(self, count: float | None = 1) -> None:
            received(int(count or 0))

    return Counter


@contextmanager
def _translate_hub_errors(what: str) -> Iterator[None]:
    """Translate the errors of huggingface_hub into DownloadError, with one line each."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError:
        problem = "it is gated: accept its terms on the hub, then log in with `hf auth login` or set HF_TOKEN"
        raise DownloadError(what, problem) from None
    except errors.RepositoryNotFoundError:
        problem = "repository not found, or private: check the name, or log in with `hf auth login`"
        raise DownloadError(what, problem) from None
    except errors.RevisionNotFoundError:
        raise DownloadError(what, "revision not found") from None
    except errors.EntryNotFoundError:
        raise DownloadError(what, "file not found in the repository") from None
    except errors.HFValidationError as error:
        raise DownloadError(what, str(error).splitlines()[0]) from None
    except errors.HfHubHTTPError as error:
        raise DownloadError(what, f"the hub answered {error.response.status_code}; try again later") from None
    except (errors.HTTPError, OSError) as error:  # type: ignore[attr-defined]  # HTTPError is that of its HTTP library
        if getattr(error, "errno", None) is not None:
            # An error of the disk, not of the network.
            raise
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(what, f"the connection failed: {first}; pull again to resume") from None
