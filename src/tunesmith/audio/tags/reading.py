"""Reading the metadata of a sound file: WAV chunks here, all other formats with tinytag."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from tunesmith.audio.markers import MIDDLE_C, Cue, Loop, Markers, markers_of, with_markers
from tunesmith.audio.mp3_frames import ID3_HEADER, from_synchsafe
from tunesmith.audio.tags.bext import bext_pairs, unread_bext
from tunesmith.audio.tags.id3 import plain_tag
from tunesmith.audio.tags.model import LOOP_LENGTH, LOOP_START, OWN, READER_NAMES, TECHNICAL, Tags, tags_from
from tunesmith.audio.tags.own import metadata_of
from tunesmith.audio.tags.riff import OWN_CHUNK, RiffChunk, chunks_of, content_of, info_pairs
from tunesmith.audio.tags.sampler import read_cues, read_sampler

WITHOUT_TAGS = frozenset({b"fmt ", b"data", b"fact", b"PEAK", b"JUNK", b"junk", b"PAD ", b"FLLR", b"ds64", b"LGWV"})
ID3_CHUNKS = (b"id3 ", b"ID3 ")
MAX_ID3_BYTES = 64 << 20
BINARY_FRAME = re.compile(r"(?![tw])[a-z0-9]{3,4}")
NOT_FRAMES = frozenset({"isrc", "bpm", "key", "mood", "url", "work"})
XMP = "xmp"


def read_file_metadata(path: Path, sample_rate: int) -> dict[str, Any]:
    """Return the metadata of a file, Tunesmith's own included; raise OSError.

    ``sample_rate`` is that of the sound in Hz, the unit of its loop points.
    """
    with path.open("rb") as file:
        chunks = list(chunks_of(file))
        if chunks:
            return _of_wav(file, chunks, sample_rate)
        tags = dict(_read_tags(file))
    own = "".join(tags.pop(OWN, ()))
    loop = _loop_of(tags.pop(LOOP_START, ()), tags.pop(LOOP_LENGTH, ()))
    metadata = metadata_of(tags, own)
    known = markers_of(metadata, sample_rate)
    # Loop tags that another program has changed replace our own loops, which have more detail.
    loops = known.loops if loop is None or (loop.start, loop.length) in _spans(known) else (loop,)
    return with_markers(metadata, Markers(sample_rate, loops, known.cues, known.unity_note))


def unread_names(path: Path) -> tuple[str, ...]:
    """Return descriptions of what the metadata does not cover, such as pictures and chunks of other programs."""
    with path.open("rb") as file:
        found_chunks = list(chunks_of(file))
        chunks = [chunk.name for chunk in found_chunks]
        known = {*WITHOUT_TAGS, *ID3_CHUNKS, OWN_CHUNK, b"LIST", b"bext", b"smpl", b"cue ", b"CUE "}
        names = [f"the {name.decode('latin-1').strip()} chunk" for name in chunks if name not in known]
        names += [what for one in found_chunks if one.name == b"bext" for what in unread_bext(content_of(file, one))]
        found = _tagged(file, image=True) if not chunks else None
    if found is not None:
        names += ["the picture"] * (found.images.any is not None) + ["XMP"] * (XMP in found.other)
    return tuple(dict.fromkeys(names))


def _of_wav(file: BinaryIO, chunks: list[RiffChunk], sample_rate: int) -> dict[str, Any]:
    pairs: list[tuple[str, str]] = []
    tagged: Tags = {}
    own, labels, points = "", b"", b""
    loops: tuple[Loop, ...] = ()
    unity_note = MIDDLE_C
    for chunk in chunks:
        # Leave all other chunks unread: the samples may be large.
        if chunk.name not in (b"LIST", b"bext", b"smpl", b"cue ", OWN_CHUNK, *ID3_CHUNKS):
            continue
        content = content_of(file, chunk)
        if chunk.name == b"LIST" and content[:4] == b"INFO":
            pairs += info_pairs(content)
        elif chunk.name == b"LIST" and content[:4] == b"adtl":
            labels = content
        elif chunk.name == b"bext":
            pairs += bext_pairs(content)
        elif chunk.name == b"smpl":
            loops, unity_note = read_sampler(content)
        elif chunk.name == b"cue ":
            points = content
        elif chunk.name in ID3_CHUNKS:
            tagged = _read_tags(io.BytesIO(content))
        elif chunk.name == OWN_CHUNK:
            own = content.decode(errors="replace")
    cues: tuple[Cue, ...] = read_cues(points, labels) if points else ()
    metadata = metadata_of({**_kept(pairs), **tagged}, own)
    return with_markers(metadata, Markers(sample_rate, loops, cues, unity_note))


def _read_tags(file: BinaryIO) -> Tags:
    """Return the tags of a file or of a bare ID3 tag; empty if there are none or they are unreadable."""
    found = _tagged(file)
    if found is None:
        return {}
    shown = {name: value for name, value in vars(found).items() if isinstance(value, str | int)}
    pairs = [(name, str(value)) for name, value in shown.items() if name in PEOPLE]
    pairs += [(name.removeprefix("_"), part) for name, values in found.other.items() for text in values
              for part in text.split("\0")]  # fmt: skip
    return _kept((READER_NAMES.get(name, name), value) for name, value in pairs)


PEOPLE = ("title", "artist", "albumartist", "composer", "album", "disc", "disc_total", "track", "track_total", "genre",
          "year", "comment")  # fmt: skip


def _tagged(file: BinaryIO, *, image: bool = False) -> Any:
    from tinytag import TinyTag, TinyTagException

    file.seek(0)
    head = file.read(ID3_HEADER)
    file.seek(0)
    # tinytag does not undo unsynchronisation or skip extended headers, so it gets a tag without them.
    if head[:3] == b"ID3" and head[3] in (2, 3) and head[5]:
        tag = file.read(min(ID3_HEADER + from_synchsafe(head[6:10]), MAX_ID3_BYTES))
        file = io.BytesIO(plain_tag(tag))
    try:
        return TinyTag.get(file_obj=file, duration=False, image=image)
    # Damaged tags must not keep the sound from being read.
    except (TinyTagException, ValueError, RecursionError):
        return None


def _kept(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    return tags_from(_of_people(pairs))


def _of_people(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the pairs without technical tags, and without binary frames that the tag reader takes for text."""
    for name, value in pairs:
        plain = name.lower()
        is_binary = BINARY_FRAME.fullmatch(plain) and plain not in NOT_FRAMES and not value.isprintable()
        if plain not in TECHNICAL and plain != XMP and not is_binary:
            yield plain, value


def _loop_of(start: tuple[str, ...], length: tuple[str, ...]) -> Loop | None:
    """Return the loop of the LOOPSTART and LOOPLENGTH tags, in samples; None if they are invalid."""
    try:
        found = Loop(int(start[0]), int(length[0]))
    except (ValueError, IndexError):
        return None
    return found if found.start >= 0 and found.length > 0 else None


def _spans(markers: Markers) -> Mapping[tuple[int, int], None]:
    return dict.fromkeys((one.start, one.length) for one in markers.loops)
