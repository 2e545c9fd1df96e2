"""A sound file that is closed without waiting for the disk."""

from __future__ import annotations

import soundfile


class UnsyncedFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file whose close hands everything to the operating system, but does not wait for the disk."""

    def flush(self) -> None:
        """Do nothing: libsndfile would call fsync, which takes longer than all else; its close writes the rest."""
