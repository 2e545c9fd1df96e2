"""Integrity: a model whose files have changed since the installation is not loaded."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.files import file_sha256
from tunesmith.models.manifest import MANIFEST, FileDigest, Manifest

VERIFIED = "verified.json"

Identity = list[int]
"""Size in bytes, modification time in nanoseconds and inode: the same for an untouched file."""


def digest_folder(folder: Path) -> tuple[FileDigest, ...]:
    """Return the digests of all files of a model, sorted by name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    named = ((path.relative_to(folder).as_posix(), path) for path in paths)
    return tuple(
        FileDigest(name, path.stat().st_size, file_sha256(path))
        for name, path in named
        if name not in (MANIFEST, VERIFIED)
    )


def verify(folder: Path, manifest: Manifest, *, thoroughly: bool = False) -> None:
    """Verify every file against the manifest. Raises ModelFileError, which names the file and the repair.

    A file that has not changed since its last verification is not read again, unless ``thoroughly``.
    """
    known: Mapping[str, Identity] = {} if thoroughly else _read_verified(folder)
    verified = {}
    for file in manifest.files:
        identity = _identity(folder / file.name, manifest)
        if identity[0] != file.bytes:
            problem = f"has {identity[0]} bytes, but {file.bytes} were installed"
            raise ModelFileError(str(folder / file.name), f"{problem}; {_repair(manifest)}")
        # Hashing gigabytes takes many seconds; comparing the identity takes none.
        if known.get(file.name) != identity and _digest(folder / file.name, manifest) != file.sha256:
            problem = "has changed since installation: its SHA-256 differs"
            raise ModelFileError(str(folder / file.name), f"{problem}; {_repair(manifest)}")
        verified[file.name] = identity
    if verified != known:
        _remember(folder, verified)


def mark_verified(folder: Path, manifest: Manifest) -> None:
    """Record that every file is verified, for a caller that has just hashed them."""
    _remember(folder, {file.name: _identity(folder / file.name, manifest) for file in manifest.files})


def _remember(folder: Path, verified: Mapping[str, Identity]) -> None:
    # On a read-only disk the files are simply hashed again next time.
    with contextlib.suppress(OSError):
        (folder / VERIFIED).write_text(json.dumps(verified), encoding="utf-8")


def _identity(path: Path, manifest: Manifest) -> Identity:
    try:
        found = path.stat()
    except OSError as error:
        raise ModelFileError(str(path), f"cannot be read: {error.strerror}; {_repair(manifest)}") from None
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def _digest(path: Path, manifest: Manifest) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise ModelFileError(str(path), f"cannot be read: {error.strerror}; {_repair(manifest)}") from None


def _repair(manifest: Manifest) -> str:
    # Imports NumPy, which an intact model does not need here.
    from tunesmith.neural.quantization import (
        QUANTIZATIONS,
    )

    command = ["tunesmith", "pull", manifest.source.location, "--name", manifest.name]
    if manifest.quantization != next(iter(QUANTIZATIONS)):
        command += ["--quantize", manifest.quantization]
    return f"install it again: {shlex.join(command)}"


def _read_verified(folder: Path) -> dict[str, Identity]:
    try:
        values = json.loads((folder / VERIFIED).read_bytes())
    # A missing or damaged record only means that the files are hashed again.
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
