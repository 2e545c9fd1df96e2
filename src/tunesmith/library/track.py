"""Track: one generated piece of music in the prompt log, from any API or the command line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.audio.credits import licence_of, terms_of_sound
from tunesmith.errors import InvalidRequest
from tunesmith.field_limits import MAX_CHARACTERS, MAX_ITEMS
from tunesmith.plain_text import visible_text

MIN_RATING, MAX_RATING = 1, 5
MAX_TAG_CHARACTERS = MAX_CHARACTERS["tags"]
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class TrackFile:
    """The location of a track's audio: ``path`` on this machine, or None for a server's result, found by digest."""

    path: str | None
    digest: str
    format: str
    bytes: int


@dataclass(frozen=True, slots=True)
class NewTrack:
    """A new track, before it is stored.

    ``request`` has the fields of its GenerationRequest, seed included. ``model`` is the requested model,
    ``generated_by`` the
    one that ran. ``source`` is the API of the request (cli, python, or one of the server's). ``timings`` are seconds by
    name.
    ``parent`` is the id of the track that this one varies.
    """

    request: Mapping[str, Any]
    model: str
    generated_by: str
    source: str
    duration: float
    file: TrackFile | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    owner: str | None = None
    job_id: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A stored track; see NewTrack. ``version`` is the Tunesmith version of the time; times are as in schema.py."""

    id: str
    number: int
    generation: NewTrack
    created_at: float
    version: str
    rating: int | None
    starred: bool
    tags: tuple[str, ...]

    @property
    def prompt(self) -> str:
        """The prompt of the request."""
        return str(self.generation.request.get("prompt", ""))

    @property
    def seed(self) -> int | None:
        """The seed of the request."""
        return self.generation.request.get("seed")

    @property
    def licence(self) -> str | None:
        """The licence; for an edit without a stated one, ``unknown``."""
        stated = self.generation.metadata.get("licence")
        return licence_of(self.generation.metadata) if self.generation.metadata.get("edits") else stated

    def as_json(self) -> dict[str, Any]:
        """Return the track as plain JSON values, flat."""
        new, file = self.generation, self.generation.file
        return {
            "id": self.id, "prompt": self.prompt, "seed": self.seed, "model": new.model,
            "generated_by": new.generated_by, "duration": new.duration, "created_at": self.created_at,
            "door": new.source, "rating": self.rating, "starred": self.starred, "tags": list(self.tags),
            "parent": new.parent, "job": new.job_id, "path": file.path if file else None,
            "digest": file.digest if file else None, "format": file.format if file else None,
            "bytes": file.bytes if file else None, "licence": self.licence,
            **terms_of_sound(new.metadata).to_json(), "model_digest": new.metadata.get("model_digest"),
            "version": self.version, "timings": dict(new.timings), "request": dict(new.request),
            "metadata": dict(new.metadata),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marks:
    """User changes to a track; None leaves a field unchanged. ``rating`` 0 removes the rating.

    Raises InvalidRequest for a value out of range.
    """

    starred: bool | None = None
    rating: int | None = None
    tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.rating is not None and not (self.rating == 0 or MIN_RATING <= self.rating <= MAX_RATING):
            raise InvalidRequest("rating", f"must be {MIN_RATING} to {MAX_RATING}, or 0 for none, got {self.rating}")
        if len(self.tags or ()) > MAX_ITEMS["tags"]:
            raise InvalidRequest("tags", f"must be at most {MAX_ITEMS['tags']} items, got {len(self.tags or ())}")
        for tag in self.tags or ():
            if not 0 < len(tag) <= MAX_TAG_CHARACTERS or not tag.isprintable():
                raise InvalidRequest("tag", f"must be 1 to {MAX_TAG_CHARACTERS} printable characters, got {tag[:80]!r}")


def words_of(texts: Iterable[str]) -> str:
    """Return the searchable words, without case and accents, so that ``cafe`` finds ``Café``."""
    plain = visible_text(" ".join(texts))
    # Twice: what case folding leaves may decompose to a letter with case, such as 𝐀.
    for _ in range(2):
        plain = unicodedata.normalize("NFKD", plain.casefold())
    # NFKD has split accents off their letters, as combining characters.
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(bare))
