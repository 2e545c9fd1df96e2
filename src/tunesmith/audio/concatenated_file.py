"""ConcatenatedFile: byte strings and ranges of another file, read as one file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Window:
    """The bytes of a file from ``start`` up to ``stop``; empty if ``stop`` is not larger."""

    start: int
    stop: int

    def __len__(self) -> int:
        return max(0, self.stop - self.start)


Segment = bytes | Window


class ConcatenatedFile(io.RawIOBase):
    """A read-only file made of segments. Closing it leaves the underlying file open."""

    def __init__(self, file: BinaryIO, segments: Sequence[Segment]) -> None:
        self._file = file
        self._segments = [segment for segment in segments if len(segment)]
        self._size = sum(len(segment) for segment in self._segments)
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, which may lie past the end, and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # the type of buffers has no name in 3.11
        """Fill the buffer with the bytes available and return their number."""
        target = memoryview(buffer).cast("B")
        done = 0
        while done < len(target) and (found := self._bytes_at(self._at, len(target) - done)):
            target[done : done + len(found)] = found
            done += len(found)
            self._at += len(found)
        return done

    def _bytes_at(self, place: int, count: int) -> bytes:
        for segment in self._segments:
            if place < len(segment):
                if isinstance(segment, bytes):
                    return segment[place : place + count]
                # Several joined files may share the file, so its position is not known.
                self._file.seek(segment.start + place)
                return self._file.read(min(count, len(segment) - place))
            place -= len(segment)
        return b""
