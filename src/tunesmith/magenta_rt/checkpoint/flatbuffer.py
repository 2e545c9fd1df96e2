"""FlatBuffers: tables of a file that are read in place, each position checked against the end of the file.

A table begins with the distance back to its vtable. A vtable lists, as 16-bit numbers, its own size, that of the table,
and the place of each field in the table (0: absent). Vectors, texts and tables are referred to by distances of 32 bits.
Source: the internals of github.com/google/flatbuffers.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.errors import ModelFileError

LONGEST_TEXT, MOST_INTEGERS = 65_536, 4096
"""The longest accepted text in bytes, and list of numbers."""


@dataclass(frozen=True, slots=True)
class FlatBuffer:
    """The bytes of a file; errors name ``file``."""

    content: mmap.mmap | bytes
    file: str

    def root(self) -> FlatTable:
        """Return the table that the file begins with. Raises ModelFileError."""
        return FlatTable(self, self.unsigned(0, 4))

    def unsigned(self, position: int, size: int) -> int:
        """Return an unsigned number of ``size`` bytes. Raises ModelFileError outside the file."""
        self.check(position, size)
        return int.from_bytes(self.content[position : position + size], "little")

    def signed(self, position: int, size: int) -> int:
        """Return a signed number of ``size`` bytes. Raises ModelFileError outside the file."""
        self.check(position, size)
        return int.from_bytes(self.content[position : position + size], "little", signed=True)

    def check(self, position: int, size: int) -> None:
        """Raise ModelFileError unless these bytes lie within the file."""
        if position < 0 or size < 0 or position + size > len(self.content):
            end = position + size
            raise ModelFileError(self.file, f"it is cut off or damaged: it ends before byte {end}, which it refers to")


@dataclass(frozen=True, slots=True)
class FlatTable:
    """A table at a position of the file; fields are numbered as its schema lists them, from 0 on."""

    buffer: FlatBuffer
    position: int

    def number(self, field: int, size: int, default: int = 0, *, signed: bool = False) -> int:
        """Return the field as a number of ``size`` bytes, or its default."""
        place = self._place(field)
        if place is None:
            return default
        return self.buffer.signed(place, size) if signed else self.buffer.unsigned(place, size)

    def text(self, field: int) -> str:
        """Return the field as text; empty if absent."""
        start, length = self.vector(field, 1, LONGEST_TEXT)
        return bytes(self.buffer.content[start : start + length]).decode("utf-8", errors="replace")

    def integers(self, field: int) -> tuple[int, ...]:
        """Return the field as a short list of signed numbers of 32 bits; empty if absent."""
        start, length = self.vector(field, 4, MOST_INTEGERS)
        return struct.unpack(f"<{length}i", self.buffer.content[start : start + 4 * length])

    def tables(self, field: int, most: int) -> Iterator[FlatTable]:
        """Yield the tables of the field, a list of at most so many."""
        start, length = self.vector(field, 4, most)
        for place in range(start, start + 4 * length, 4):
            yield FlatTable(self.buffer, place + self.buffer.unsigned(place, 4))

    def vector(self, field: int, size: int, most: int | None) -> tuple[int, int]:
        """Return the place of the first entry of a list and their number; ``size`` is that of an entry in bytes.

        Both are 0 for an absent list. Raises ModelFileError unless all of it is in the file.
        """
        place = self._place(field)
        if place is None:
            return 0, 0
        start = place + self.buffer.unsigned(place, 4)
        length = self.buffer.unsigned(start, 4)
        if most is not None and length > most:
            raise ModelFileError(self.buffer.file, f"it is damaged: a list of {length} entries, more than {most}")
        self.buffer.check(start + 4, size * length)
        return start + 4, length

    def _place(self, field: int) -> int | None:
        vtable = self.position - self.buffer.signed(self.position, 4)
        entry = 4 + 2 * field
        # An older writer knew fewer fields.
        if entry + 2 > self.buffer.unsigned(vtable, 2):
            return None
        distance = self.buffer.unsigned(vtable + entry, 2)
        return self.position + distance if distance else None
