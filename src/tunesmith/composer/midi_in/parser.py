"""The bytes of a Standard MIDI File as events, with every limit checked while reading.

The format is that of the MIDI Manufacturers Association's "Standard MIDI Files 1.0": a header chunk, then track chunks;
a track is a list of delta times, each followed by an event.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.errors import InvalidRequest

HEADER, TRACK = b"MThd", b"MTrk"
MAX_BYTES = 4_000_000
MAX_TRACKS = 256
LONGEST_TIME = 4
"""The most bytes of a delta time or a length, by the standard."""

# In a file, FF begins a meta event and F7 an escape; on a wire they mean other things.
META, SYSEX, ESCAPE = 0xFF, 0xF0, 0xF7
END_OF_TRACK = 0x2F


@dataclass(frozen=True, slots=True)
class MidiEvent:
    """An event at ``tick``: a channel message by its ``kind`` (0x8 to 0xE) and two data bytes, or a meta event.

    A meta event has ``kind`` 0xFF, its type in ``first`` and its ``content``.
    """

    tick: int
    kind: int
    channel: int = 0
    first: int = 0
    second: int = 0
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class MidiChunks:
    """The events of each track, and the ticks of a quarter note."""

    ticks_per_beat: int
    tracks: tuple[tuple[MidiEvent, ...], ...]


def broken(problem: str) -> InvalidRequest:
    """Return the error of a MIDI file."""
    return InvalidRequest("midi", problem)


def parse_midi(content: bytes) -> MidiChunks:
    """Return the tracks of a file; raise InvalidRequest for one that is no MIDI file, cut off, or too large."""
    if len(content) > MAX_BYTES:
        raise broken(f"must be at most {MAX_BYTES} bytes, got {len(content)}")
    if content[:4] != HEADER or len(content) < 14:
        raise broken("is no Standard MIDI File: it does not begin with a whole header (MThd)")
    length, form, count, division = struct.unpack(">IHHh", content[4:14])
    if form > 1:
        raise broken(f"must be of format 0 or 1, got format {form}")
    if division <= 0:
        raise broken("counts time in frames (SMPTE), not in beats")
    if count > MAX_TRACKS:
        raise broken(f"must have at most {MAX_TRACKS} tracks, got {count}")
    tracks = [tuple(_events(chunk, number)) for number, chunk in enumerate(_chunks(content, 8 + length), start=1)]
    if not tracks:
        raise broken("has no track")
    return MidiChunks(division, tuple(tracks[:MAX_TRACKS]))


def _chunks(content: bytes, start: int) -> Iterator[bytes]:
    """Yield the content of each track chunk; chunks of other kinds are passed over, as the standard asks."""
    number = 0
    while start + 8 <= len(content):
        kind, length = content[start : start + 4], int.from_bytes(content[start + 4 : start + 8], "big")
        body = content[start + 8 : start + 8 + length]
        if kind == TRACK:
            number += 1
            if len(body) < length:
                raise broken(f"is cut off: track {number} has {len(body)} of {length} bytes")
            yield body
        start += 8 + length


@dataclass(slots=True)
class _Cursor:
    body: bytes
    number: int
    place: int = 0

    def byte(self) -> int:
        if self.place >= len(self.body):
            raise broken(f"is damaged: track {self.number} ends within an event")
        self.place += 1
        return self.body[self.place - 1]

    def data(self) -> int:
        value = self.byte()
        if value > 0x7F:
            raise broken(f"is damaged: track {self.number} has a data byte of {value} at byte {self.place - 1}")
        return value

    def variable(self) -> int:
        value = 0
        for _ in range(LONGEST_TIME):
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise broken(f"is damaged: track {self.number} has a number of more than {LONGEST_TIME} bytes")

    def take(self, length: int) -> bytes:
        if self.place + length > len(self.body):
            raise broken(f"is damaged: track {self.number} ends within an event")
        self.place += length
        return self.body[self.place - length : self.place]


def _events(body: bytes, number: int) -> Iterator[MidiEvent]:
    cursor = _Cursor(body, number)
    tick = status = 0
    while cursor.place < len(body):
        tick += cursor.variable()
        byte = cursor.byte()
        if byte == META:
            kind = cursor.data()
            content = cursor.take(cursor.variable())
            if kind == END_OF_TRACK:
                yield MidiEvent(tick, META, first=kind)
                return
            yield MidiEvent(tick, META, first=kind, content=content)
        elif byte in (SYSEX, ESCAPE):
            cursor.take(cursor.variable())
        elif byte > SYSEX:
            raise broken(f"is damaged: track {number} has the status {byte:#x}, which no file may have")
        else:
            if byte < 0x80:
                # Running status: the last channel message's kind holds.
                cursor.place -= 1
                if not status:
                    raise broken(f"is damaged: track {number} begins with a data byte")
            else:
                status = byte
            first = cursor.data()
            # Program change and channel pressure have one data byte.
            second = 0 if status >> 4 in (0xC, 0xD) else cursor.data()
            yield MidiEvent(tick, status >> 4, status & 0xF, first, second)
