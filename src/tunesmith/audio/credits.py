"""Credits: who made a sound and under which licence, also where it is made of several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

UNKNOWN = "unknown"
MAX_CHARACTERS, MAX_PARTS, MAX_DEPTH = 300, 10_000, 16
NAMED_PARTS = 50
"""So many works are named in a licence; of the others it says only the licences."""
STITCHED, SOURCES = "stitched", "sources"
"""Keys of the metadata of what a sound is made of: pieces in a row, and recordings that a model used."""


@dataclass(frozen=True, slots=True)
class Credit:
    """One part of a sound: its ``title`` or the name of its file, its ``authors`` and its ``licence``."""

    title: str
    authors: tuple[str, ...]
    licence: str

    def __str__(self) -> str:
        authors = ", ".join(self.authors) or "an unknown author"
        return f"{self.title or 'a recording'} by {authors}: {self.licence}"


def credits_of(metadata: Mapping[str, Any]) -> tuple[Credit, ...]:
    """Return the parts of a sound, each once: itself, or what it is made of; of very many, the last is ``unknown``."""
    parts = list(islice(_credits(metadata, MAX_DEPTH), MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        parts[-1] = Credit("more works", (), UNKNOWN)
    return tuple(dict.fromkeys(parts))


def licence_of(metadata: Mapping[str, Any]) -> str:
    """Return the licence of a sound, ``unknown`` without one; where its parts have several, it names each part's."""
    parts = credits_of(metadata)
    licences = {part.licence for part in parts}
    if len(licences) <= 1:
        return next(iter(licences), UNKNOWN)
    named, others = parts[:NAMED_PARTS], parts[NAMED_PARTS:]
    more = [f"{len(others)} more works: {', '.join(sorted({part.licence for part in others}))}"] if others else []
    return "Several works, each under its own licence: " + "; ".join([*map(str, named), *more])


def authors_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the authors of all parts; a part without an author adds none."""
    return tuple(dict.fromkeys(author for part in credits_of(metadata) for author in part.authors))


def source_credit(metadata: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what a work says of a recording that went into it: title, authors, licence, or its parts."""
    parts = credits_of({"title": name, **metadata})
    return {"parts": [{"title": part.title, "authors": list(part.authors), "licence": part.licence} for part in parts]}


def _credits(metadata: Mapping[str, Any], depth: int) -> Iterator[Credit]:
    stitched = metadata.get(STITCHED)
    if isinstance(stitched, list):
        for part in _mappings(stitched) if depth else ():
            yield from _credits(part, depth - 1)
        if not depth or not stitched:
            yield Credit("", (), UNKNOWN)
        return
    yield _own_credit(metadata)
    for source in _mappings(metadata.get(SOURCES)):
        for part in _mappings(source.get("parts")):
            authors = part.get("authors")
            yield Credit(
                _text(part.get("title")),
                tuple(map(_text, authors)) if isinstance(authors, list) else (),
                _text(part.get("licence")) or UNKNOWN,
            )


def _own_credit(metadata: Mapping[str, Any]) -> Credit:
    tags = metadata.get("tags")
    tags = tags if isinstance(tags, Mapping) else {}
    title = _first(tags, "title") or _text(metadata.get("title") or metadata.get("prompt") or _file_name(metadata))
    model = metadata.get("model")
    authors = _all(tags, "artist") or ((f"Tunesmith ({model})",) if model else ())
    own = _text(metadata.get("model_licence") or metadata.get("licence"))
    stated = _all(tags, "license") or ((own,) if own else ())
    notices = () if own and not _all(tags, "license") else _all(tags, "copyright")
    return Credit(title, authors, "; ".join(dict.fromkeys((*stated, *notices))) or UNKNOWN)


def _file_name(metadata: Mapping[str, Any]) -> str:
    """Return the name of the file that a sound was read from first."""
    edited = (edit.get("source") for edit in _mappings(metadata.get("edits")))
    sources = [source for source in (*edited, metadata.get("source")) if isinstance(source, Mapping)]
    return _text(sources[0].get("name")) if sources else ""


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, Mapping))


def _all(tags: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = tags.get(name)
    return tuple(filter(None, map(_text, values))) if isinstance(values, list | tuple) else ()


def _first(tags: Mapping[str, Any], name: str) -> str:
    return next(iter(_all(tags, name)), "")


def _text(value: Any) -> str:
    words = " ".join(str(value or "").split())
    return "".join(letter for letter in words if letter.isprintable())[:MAX_CHARACTERS]
