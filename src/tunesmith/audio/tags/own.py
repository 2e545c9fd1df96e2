"""Own and foreign tags: the tags that Tunesmith's metadata implies, and those that others wrote.

``metadata["tags"]`` holds the foreign tags: those of a recording, or changes that a user made to a generated file. They
take precedence over our own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.audio.credits import authors_of, licence_of
from tunesmith.audio.tags.model import Tags, tags_from
from tunesmith.licences import UNKNOWN_LICENCE
from tunesmith.plain_text import is_text

TAGS, MARKERS = "tags", "markers"
MAX_TITLE_CHARACTERS = 200
PROGRAM = "Tunesmith"
SURROGATE = "\\ud"


def tags_of(metadata: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the tags to write for this metadata."""
    stated = foreign_tags(metadata).items()
    foreign = {str(name): tuple(map(str, values)) for name, values in stated if isinstance(values, list | tuple)}
    tags = {**_own_tags(metadata), **foreign}
    return {name: tuple(map(_storable, values)) for name, values in tags.items()}


def _storable(text: str) -> str:
    """Return a text with lone surrogates escaped: every format stores its tags in UTF-8."""
    return text.encode(errors="backslashreplace").decode()


def foreign_tags(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the foreign tags in the metadata."""
    tags = metadata.get(TAGS)
    return tags if isinstance(tags, Mapping) else {}


def own_json(metadata: Mapping[str, Any], *, with_markers: bool) -> str:
    """Return Tunesmith's own metadata as JSON, empty without any; with markers only for formats that lack them."""
    left_out = {TAGS} if with_markers else {TAGS, MARKERS}
    own = {name: value for name, value in metadata.items() if name not in left_out}
    if not own:
        return ""
    text = json.dumps(own, ensure_ascii=False, separators=(",", ":"), default=str)
    # Lone surrogates have no UTF-8 form, but JSON in ASCII can escape them.
    return text if is_text(text) else json.dumps(own, separators=(",", ":"), default=str)


def metadata_of(tags: Tags, own: str = "") -> dict[str, Any]:
    """Return the metadata of a file from its tags and from our own JSON, which version 0.1 wrote into ``comment``."""
    metadata = _json_object(own)
    if metadata is None:
        metadata, tags = _of_an_older_version(tags)
    expected = _own_tags(metadata)
    # A tag with the value that we wrote is ours: kept as foreign, it would outlive a change of the metadata.
    foreign = {name: list(values) for name, values in tags.items() if expected.get(name) != values}
    if metadata.get("model"):
        foreign = {name: values for name, values in foreign.items() if not _is_our_software(name, values)}
    rest = {name: value for name, value in metadata.items() if name != TAGS}
    return {**rest, TAGS: foreign} if foreign else rest


def _own_tags(metadata: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the tags that the metadata implies; at most a title for a recording that Tunesmith did not generate."""
    if not metadata.get("model") and not metadata.get("stitched"):
        title = str(metadata.get("title") or "")
        return {"title": (title,)} if title else {}
    # Foreign tags must not become our own.
    licence = licence_of({name: value for name, value in metadata.items() if name != TAGS})
    genre = str(metadata.get("genre") or "")
    title = str(metadata.get("title") or metadata.get("prompt") or "")[:MAX_TITLE_CHARACTERS].strip()
    known = (licence,) if licence != UNKNOWN_LICENCE else ()
    values = {
        "title": (title,) if title else (), "artist": authors_of(metadata), "copyright": known, "license": known,
        "genre": (genre,) if genre else (), "software": (PROGRAM,) if metadata.get("model") else (),
    }  # fmt: skip
    # ID3 separates values by zero bytes.
    return {name: tuple(text.replace("\0", "") for text in texts) for name, texts in values.items() if texts}


def _of_an_older_version(tags: Tags) -> tuple[dict[str, Any], Tags]:
    """Return metadata and other tags of version 0.1: JSON in ``comment``, with Tunesmith as artist and software."""
    ours = tags.get("artist", ("",))[0].startswith(PROGRAM)
    metadata = _json_object(tags["comment"][0]) if ours and "comment" in tags else None
    if metadata is None:
        return {}, tags
    if "model" in metadata or "stitched" in metadata or "settings" in metadata:
        kept = {name: values for name, values in tags.items() if name != "comment"}
        return metadata, {name: values for name, values in kept.items() if not _was_written(name, values, metadata)}
    return {}, tags_from((name, str(value)) for name, value in metadata.items())


def _was_written(name: str, values: tuple[str, ...], metadata: Mapping[str, Any]) -> bool:
    """Tell whether version 0.1 wrote this tag itself."""
    licence = str(metadata.get("licence", ""))
    return (
        _is_our_software(name, values)
        or (name == "artist" and values[0].startswith(PROGRAM))
        or (name in ("copyright", "license") and values == (licence,))
    )


def _is_our_software(name: str, values: object) -> bool:
    return name == "software" and isinstance(values, list | tuple) and str(values[0]).startswith(PROGRAM)


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
        # JSON may escape a lone surrogate, which no terminal and no database accepts.
        if SURROGATE in text.lower():
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
