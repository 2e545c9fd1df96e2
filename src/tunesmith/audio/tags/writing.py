"""Writing tags, markers and Tunesmith's own metadata into a sound file that was encoded without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.audio.markers import Markers, markers_of
from tunesmith.audio.tags.bext import bext_chunk, holds_bext
from tunesmith.audio.tags.id3 import id3_tag, prepend_id3_tag
from tunesmith.audio.tags.model import INFO_CHUNKS, LOOP_LENGTH, LOOP_START, OWN, Tags
from tunesmith.audio.tags.own import own_json, tags_of
from tunesmith.audio.tags.riff import OWN_CHUNK, append_chunks, info_list
from tunesmith.audio.tags.sampler import marker_chunks
from tunesmith.audio.tags.vorbis import put_flac_comments, put_ogg_comments


def write_tags(path: Path, container: str, metadata: Mapping[str, Any], sample_rate: int, num_samples: int) -> None:
    """Write the metadata into a file of libsndfile's ``container``, with this rate in Hz and length per channel."""
    tags = tags_of(metadata)
    markers = markers_of(metadata, sample_rate).within(num_samples)
    if container == "WAV":
        append_chunks(path, _wav_chunks(tags, own_json(metadata, with_markers=False), markers))
        return
    # The loop tags of these formats store one forward loop; our own field keeps any other markers.
    own = own_json(metadata, with_markers=not markers.is_plain)
    all_tags = {**tags, **_loop_tags(markers), **({OWN: (own,)} if own else {})}
    if container == "MP3":
        prepend_id3_tag(path, all_tags)
    elif container == "FLAC":
        put_flac_comments(path, all_tags)
    elif container == "OGG":
        put_ogg_comments(path, all_tags)


def _wav_chunks(tags: Tags, own: str, markers: Markers) -> Iterator[tuple[bytes, bytes]]:
    """Yield ``LIST INFO`` with the tags it has names for, ``id3 `` if that is not enough, ``bext``, own chunks."""
    simple = [(name, "; ".join(values)) for name, values in tags.items() if name in INFO_CHUNKS]
    if simple:
        yield b"LIST", info_list(simple)
    if any(len(values) > 1 or not (name in INFO_CHUNKS or holds_bext(name, values)) for name, values in tags.items()):
        yield b"id3 ", id3_tag(tags)
    if broadcast := bext_chunk(tags):
        yield b"bext", broadcast
    if own:
        yield OWN_CHUNK, own.encode()
    yield from marker_chunks(markers)


def _loop_tags(markers: Markers) -> dict[str, tuple[str, ...]]:
    if not markers.loops:
        return {}
    first = markers.loops[0]
    return {LOOP_START: (str(first.start),), LOOP_LENGTH: (str(first.length),)}
