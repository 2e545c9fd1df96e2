"""InputFiles: recordings that requests bring along, kept under their SHA-256 until the jobs that need them are done."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import mkstemp

from tunesmith.server.fetching import check_sound

MAX_AUDIO_SECONDS = 1_800.0


class InputFiles:
    """A folder of recordings; what a caller named them never reaches the file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes, field: str) -> Path:
        """Store a recording and return where; raises InvalidRequest naming the field for what is no sound."""
        check_sound(content, field, MAX_AUDIO_SECONDS)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / hashlib.sha256(content).hexdigest()
        handle, incoming = mkstemp(dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        Path(incoming).replace(path)
        return path
