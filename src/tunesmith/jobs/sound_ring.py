"""SoundRing: the last seconds of a sound without end, in a temporary file of fixed size."""

from __future__ import annotations

import tempfile
import threading

from tunesmith.errors import DiskFull
from tunesmith.files import is_full

READ_BYTES = 1 << 20


class SoundRing:
    """The last ``max_bytes`` of what was appended, in order.

    One thread appends while another reads; what it reads must not be overwritten meanwhile, so the ring has room to
    spare.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._length = 0
        # What was appended before this place found no room on the disk, or cannot be told from what did not.
        self._lost_until = 0
        self._turn = threading.Lock()
        self._file = tempfile.TemporaryFile(prefix="tunesmith-", buffering=0)  # noqa: SIM115

    def append(self, sound: bytes) -> None:
        """Add sound, shorter than the ring; on a full disk all so far is lost, and the stream goes on."""
        place = self._length % self._max_bytes
        head = min(len(sound), self._max_bytes - place)
        try:
            self._write(place, sound[:head])
            self._write(0, sound[head:])
        except OSError as error:
            if not is_full(error):
                raise
            # The place moves on: what another thread reads at the moment must not be overwritten.
            self._lost_until = self._length + len(sound)
        self._length += len(sound)

    def last(self, num_bytes: int) -> bytes:
        """Return the last bytes, at most as many as there are. Raises DiskFull if some are lost."""
        end = self._length
        place = end - min(num_bytes, end, self._max_bytes)
        if place < self._lost_until:
            raise DiskFull("the disk is full: the live stream could not be recorded")
        pieces: list[bytes] = []
        while place < end:
            at = place % self._max_bytes
            # In pieces, so that whoever appends waits for none.
            with self._turn:
                self._file.seek(at)
                pieces.append(self._file.read(min(READ_BYTES, end - place, self._max_bytes - at)))
            place += len(pieces[-1])
        return b"".join(pieces)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _write(self, place: int, sound: bytes) -> None:
        with self._turn:
            self._file.seek(place)
            while sound:
                sound = sound[self._file.write(sound) :]
