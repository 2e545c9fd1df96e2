"""InputFiles: recordings that requests bring along, kept under their SHA-256 until the jobs that need them are done."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import mkstemp

from tunesmith.audio.disk import room_for
from tunesmith.server.fetching import check_sound

MAX_AUDIO_SECONDS = 1_800.0


class InputFiles:
    """A folder of recordings; what a caller named them never reaches the file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes, field: str) -> Path:
        """Store a recording and return where; raises InvalidRequest naming the field for what is no sound, DiskFull."""
        check_sound(content, field, MAX_AUDIO_SECONDS)
        path = self._folder / hashlib.sha256(content).hexdigest()
        with room_for("the recording"):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(content, path)
        return path

    def _write(self, content: bytes, path: Path) -> None:
        handle, name = mkstemp(dir=self._folder)
        incoming = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            incoming.replace(path)
        finally:
            incoming.unlink(missing_ok=True)
