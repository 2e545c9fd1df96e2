"""Markers in WAV files: the ``smpl`` chunk with loops, the ``cue `` chunk and its labels in ``LIST adtl``.

A ``smpl`` chunk has nine numbers (manufacturer, product, sample period in ns, unity note, pitch fraction, SMPTE format,
SMPTE offset, number of loops, bytes of other data), and six per loop (cue id, kind, first sample, last sample,
fraction, plays). All are 32-bit little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tunesmith.audio.markers import LOOP_KINDS, MAX_MARKERS, MIDDLE_C, Cue, Loop, Markers
from tunesmith.audio.tags.riff import list_entries, text_of

HEAD, LOOP, CUE = struct.Struct("<9I"), struct.Struct("<6I"), struct.Struct("<II4sIII")
# A smpl chunk states the period of a sample in nanoseconds.
NANOSECONDS = 1_000_000_000


def read_sampler(content: bytes) -> tuple[tuple[Loop, ...], int]:
    """Return the loops and the unity note of a ``smpl`` chunk."""
    if len(content) < HEAD.size:
        return (), MIDDLE_C
    head = HEAD.unpack_from(content)
    # The stated number may exceed what the chunk holds.
    count = min(head[7], MAX_MARKERS, (len(content) - HEAD.size) // LOOP.size)
    loops = []
    for number in range(count):
        _, kind, first, last, _, plays = LOOP.unpack_from(content, HEAD.size + number * LOOP.size)
        if last >= first:
            loops.append(
                Loop(first, last - first + 1, LOOP_KINDS[kind] if kind < len(LOOP_KINDS) else "forward", plays)
            )
    # MIDI notes end at 127, so a larger value is invalid.
    return tuple(loops), head[3] if head[3] < 128 else MIDDLE_C


def read_cues(points: bytes, labels: bytes) -> tuple[Cue, ...]:
    """Return the cues of a ``cue `` chunk with their labels from a ``LIST adtl`` chunk."""
    names = {
        int.from_bytes(content[:4], "little"): text_of(content[4:])
        for entry, content in list_entries(labels)
        if entry == b"labl"
    }
    count = min(int.from_bytes(points[:4], "little"), MAX_MARKERS, max(0, len(points) - 4) // CUE.size)
    found = [CUE.unpack_from(points, 4 + number * CUE.size) for number in range(count)]
    return tuple(Cue(sample, names.get(number, "")) for number, _, _, _, _, sample in found)


def marker_chunks(markers: Markers) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks that store these markers, as pairs of id and content."""
    if markers.loops:
        head = HEAD.pack(
            0, 0, round(NANOSECONDS / markers.sample_rate), markers.unity_note, 0, 0, 0, len(markers.loops), 0
        )  # fmt: skip
        loops = (
            LOOP.pack(number, LOOP_KINDS.index(one.kind), one.start, one.end - 1, 0, one.plays)
            for number, one in enumerate(markers.loops)
        )
        yield b"smpl", head + b"".join(loops)
    if markers.cues:
        points = (CUE.pack(number, one.at, b"data", 0, 0, one.at) for number, one in enumerate(markers.cues, start=1))
        yield b"cue ", struct.pack("<I", len(markers.cues)) + b"".join(points)
        labels = b"".join(_label(number, one) for number, one in enumerate(markers.cues, start=1) if one.label)
        if labels:
            yield b"LIST", b"adtl" + labels


def _label(number: int, cue: Cue) -> bytes:
    content = struct.pack("<I", number) + cue.label.encode() + b"\0"
    return b"labl" + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
