"""The server's secret, and what follows from it: the key of webhooks, and addresses that cannot be guessed."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from filelock import FileLock

from tunesmith.server.dialects.replicate.problems import Problem

_BYTES = 32


class Secret:
    """A secret that is made once and kept in a file that only its owner can read."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def kept_in(cls, folder: Path) -> Secret:
        """Read the secret of a data folder, or make it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "replicate.secret"
        with FileLock(folder / ".replicate.lock"):
            if not path.exists():
                new = path.with_suffix(".new")
                new.unlink(missing_ok=True)
                handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_bytes(_BYTES))
                new.replace(path)
        return cls(path.read_bytes())

    def key(self, purpose: str) -> bytes:
        """Return the key for one purpose."""
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    def signed(self, purpose: str, subject: str) -> str:
        """Return what proves that this server named the subject for that purpose."""
        return hmac.digest(self.key(purpose), subject.encode(), hashlib.sha256).hex()[:40]

    def check(self, purpose: str, subject: str, signature: str) -> None:
        """Raise a 404 Problem unless the signature is right."""
        if not hmac.compare_digest(self.signed(purpose, subject).encode(), signature.encode()):
            raise Problem(404, "There is nothing at this address.")
