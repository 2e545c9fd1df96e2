"""Credits: the authors and the licence of a sound, also of one with several sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tunesmith.licences import UNKNOWN_LICENCE, LicenceTerms, strictest, terms_of

# Bounds for the metadata of a foreign file, which may be nested at will.
MAX_CHARACTERS, MAX_PARTS, MAX_DEPTH = 300, 10_000, 16
NAMED_PARTS = 50
"""The most works that a licence text names; for the others it lists only the licences."""
STITCHED, SOURCES = "stitched", "sources"
"""Metadata keys for the sources of a sound: the parts it was stitched from, and the recordings a model used."""


@dataclass(frozen=True, slots=True)
class Credit:
    """The credit of one part of a sound: its ``title`` or file name, its ``authors`` and its ``licence``."""

    title: str
    authors: tuple[str, ...]
    licence: str

    def __str__(self) -> str:
        authors = ", ".join(self.authors) or "an unknown author"
        return f"{self.title or 'a recording'} by {authors}: {self.licence}"


def credits_of(metadata: Mapping[str, Any]) -> tuple[Credit, ...]:
    """Return the credits of a sound or of its parts, each once; past MAX_PARTS, the last is ``unknown``."""
    parts = list(islice(_credits(metadata, MAX_DEPTH), MAX_PARTS + 1))
    if len(parts) > MAX_PARTS:
        # A truncated list must not look complete, or a licence could go missing unnoticed.
        parts[-1] = Credit("more works", (), UNKNOWN_LICENCE)
    return tuple(dict.fromkeys(parts))


def licence_of(metadata: Mapping[str, Any]) -> str:
    """Return the licence of a sound, ``unknown`` without one; if its parts have several, name that of each part."""
    parts = credits_of(metadata)
    licences = {part.licence for part in parts}
    if len(licences) <= 1:
        return next(iter(licences), UNKNOWN_LICENCE)
    named, others = parts[:NAMED_PARTS], parts[NAMED_PARTS:]
    more = [f"{len(others)} more works: {', '.join(sorted({part.licence for part in others}))}"] if others else []
    return "Several works, each under its own licence: " + "; ".join([*map(str, named), *more])


def terms_of_sound(metadata: Mapping[str, Any]) -> LicenceTerms:
    """Return the terms of a sound: the strictest of its parts, since each of them is in it."""
    return strictest(terms_of(part.licence) for part in credits_of(metadata))


def authors_of(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the authors of all parts, each once."""
    return tuple(dict.fromkeys(author for part in credits_of(metadata) for author in part.authors))


def source_credit(metadata: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the credits of a recording as JSON values, for the metadata of a work that uses it."""
    parts = credits_of({"title": name, **metadata})
    return {"parts": [{"title": part.title, "authors": list(part.authors), "licence": part.licence} for part in parts]}


def _credits(metadata: Mapping[str, Any], depth: int) -> Iterator[Credit]:
    stitched = metadata.get(STITCHED)
    if isinstance(stitched, list):
        # The metadata may come from a foreign file, which may nest it to any depth.
        for part in _mappings(stitched) if depth else ():
            yield from _credits(part, depth - 1)
        if not depth or not stitched:
            yield Credit("", (), UNKNOWN_LICENCE)
        return
    yield _own_credit(metadata)
    for source in _mappings(metadata.get(SOURCES)):
        for part in _mappings(source.get("parts")):
            authors = part.get("authors")
            yield Credit(
                _text(part.get("title")),
                tuple(map(_text, authors)) if isinstance(authors, list) else (),
                _text(part.get("licence")) or UNKNOWN_LICENCE,
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
    return Credit(title, authors, "; ".join(dict.fromkeys((*stated, *notices))) or UNKNOWN_LICENCE)


def _file_name(metadata: Mapping[str, Any]) -> str:
    """Return the name of the file that the sound was first read from."""
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
    # Foreign tags may hold control characters, which a terminal would obey.
    return "".join(letter for letter in words if letter.isprintable())[:MAX_CHARACTERS]
