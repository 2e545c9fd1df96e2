"""The server's secret, and what derives from it: keys of webhooks and signatures of URLs."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import tempfile
from pathlib import Path

from filelock import FileLock

from tunesmith.errors import InvalidRequest
from tunesmith.server.apis.replicate.errors import ProblemDetail

FILE = "replicate.secret"
SECRET_BYTES = 32
MIN_DISTINCT_BYTES = 16
"""The minimum of distinct bytes: 32 random bytes have fewer once in 10¹⁶ times, but a power cut can leave only
zeros."""

log = logging.getLogger(__name__)


class Secret:
    """A secret that is generated once and kept in a file that only its owner can read."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def kept_in(cls, folder: Path) -> Secret:
        """Return the secret of a data folder, generated if missing. Raises InvalidRequest if the file is invalid."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        try:
            # Two servers that start at once must agree on one secret.
            with FileLock(folder / ".replicate.lock"):
                # A dangling link is an error to report, not a missing secret to generate.
                if not os.path.lexists(path):
                    _write(path, secrets.token_bytes(SECRET_BYTES))
                return cls(_read(path))
        except OSError as error:
            raise InvalidRequest("setting data_dir", f"{path} cannot be read or created: {error.strerror}") from None

    def key(self, purpose: str) -> bytes:
        """Return the key for one purpose, so that a signature for one is void for all others."""
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    def webhook_key(self, owner: str | None) -> bytes:
        """Return the key that signs an owner's webhooks; one owner's key reveals nothing about another's."""
        key = self.key("webhooks")
        return key if owner is None else hmac.digest(key, owner.encode(), hashlib.sha256)

    def signed(self, purpose: str, subject: str) -> str:
        """Return the signature of a subject for a purpose: an HMAC-SHA256, truncated to 160 bits."""
        return hmac.digest(self.key(purpose), subject.encode(), hashlib.sha256).hex()[:40]

    def check(self, purpose: str, subject: str, signature: str) -> None:
        """Check a signature in constant time. Raises ProblemDetail (404)."""
        if not hmac.compare_digest(self.signed(purpose, subject).encode(), signature.encode()):
            raise ProblemDetail(404, "There is nothing at this address.")


def _write(path: Path, secret: bytes) -> None:
    """Write a secret atomically; mkstemp creates files that only their owner can read."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        # Synced before the rename, or a power cut could leave an empty secret.
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        # The extra byte reveals a file that is too long.
        secret = file.read(SECRET_BYTES + 1)
        mode = os.fstat(file.fileno()).st_mode
    if len(secret) != SECRET_BYTES or len(set(secret)) < MIN_DISTINCT_BYTES:
        size = path.stat().st_size
        found = f"{size} bytes" if size != SECRET_BYTES else "a pattern"
        cure = "restore it from a backup, or remove it: a new one is created, and all webhook keys change"
        raise InvalidRequest("setting data_dir", f"{path} must be {SECRET_BYTES} random bytes, got {found}; {cure}")
    if os.name == "posix" and mode & 0o077:
        log.warning("%s can be read by other users of this machine; run: chmod 600 %s", path, path)
    return secret
