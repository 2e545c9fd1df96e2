"""The prompt log: tracks, each one generated piece of music from any API or the command line, and their table."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

import tunesmith
from tunesmith.audio.credits import licence_of, terms_of_sound
from tunesmith.audio.edits import edit_in_words, edits_of
from tunesmith.errors import InvalidRequest, TrackNotFound
from tunesmith.fields import MAX_CHARACTERS, MAX_ITEMS
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.schema import tracks
from tunesmith.plain_text import path_of, path_text, visible_text

# Thai, Lao, Burmese, Khmer, Japanese and Chinese, which do not separate words by spaces.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
MAX_WORDS = 16


def matching(text: str, *, is_sqlite: bool) -> list[sa.ColumnElement[bool]]:
    """Return the SQL conditions of a search text; all must hold."""
    # The normalized words hold letters and digits only, so they are safe inside a query expression.
    words = words_of([text]).split()[:MAX_WORDS]
    anywhere = [word for word in words if _UNSPACED.search(word)]
    beginnings = [word for word in words if word not in anywhere]
    conditions: list[sa.ColumnElement[bool]] = [tracks.c.words.contains(word, autoescape=True) for word in anywhere]
    if beginnings:
        conditions.append(_sqlite(beginnings) if is_sqlite else _postgresql(beginnings))
    return conditions


def _sqlite(words: Sequence[str]) -> sa.ColumnElement[bool]:
    terms = " ".join(f'"{word}"*' for word in words)
    found = sa.text("SELECT rowid FROM track_words WHERE track_words MATCH :terms").bindparams(terms=terms)
    return tracks.c.number.in_(found.columns(sa.column("rowid", sa.Integer)).scalar_subquery())


def _postgresql(words: Sequence[str]) -> sa.ColumnElement[bool]:
    query = " & ".join(f"'{word}':*" for word in words)
    return sa.func.to_tsvector(sa.literal_column("'simple'"), tracks.c.words).op("@@")(
        sa.func.to_tsquery(sa.literal_column("'simple'"), query)
    )


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
    ``generated_by`` the one that ran. ``source`` is the API of the request (cli, python, or one of the server's).
    ``timings`` are seconds by name. ``parent`` is the id of the track that this one varies.
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


PAGE = 50
SHORTEST_ID = 3
# Crockford's base32 alphabet without i, l, o and u, which are misread.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LETTERS = 10


@dataclass(frozen=True, slots=True)
class TrackFilter:
    """A filter for tracks: search text, model (requested or used), starred, owner, parent, tag, loops only."""

    search: str = ""
    model: str | None = None
    starred: bool = False
    owner: str | None = None
    parent: str | None = None
    tag: str | None = None
    loop: bool = False


@dataclass(frozen=True, slots=True)
class TrackPage:
    """A page of tracks, newest first; ``next_before`` is the cursor of the next page, None on the last."""

    tracks: tuple[Track, ...]
    next_before: int | None


EVERYTHING = TrackFilter()


class Tracks:
    """The prompt log. Safe to share between threads and processes."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, *new: NewTrack) -> tuple[Track, ...]:
        """Store tracks, all or none; return them."""
        rows = [track_row(one, self._clock()) for one in new]
        with self._database.write() as connection:
            connection.execute(sa.insert(tracks), rows)
            ids = [row["id"] for row in rows]
            found = connection.execute(sa.select(tracks).where(tracks.c.id.in_(ids)).order_by(tracks.c.number))
            return tuple(_track_of(row) for row in found.mappings())

    def get(self, track_id: str, owner: str | None = None) -> Track:
        """Return a track by its id or a prefix of it. Raises TrackNotFound, or InvalidRequest if ambiguous."""
        wanted = track_id.strip().lower()
        if len(wanted) < SHORTEST_ID or not set(wanted) <= set(_LETTERS):
            raise TrackNotFound(track_id)
        # Two rows are enough to know that a prefix is ambiguous.
        exact, begins = (_owned(sa.select(tracks).where(condition), owner).limit(2)
                         for condition in (tracks.c.id == wanted, tracks.c.id.startswith(wanted)))  # fmt: skip
        with self._database.read() as connection:
            found = connection.execute(exact).mappings().all() or connection.execute(begins).mappings().all()
        if not found:
            raise TrackNotFound(track_id)
        if len(found) > 1:
            raise InvalidRequest("id", f"{track_id!r} matches several; give more characters")
        return _track_of(found[0])

    def of_digest(self, digest: str) -> Track | None:
        """Return the newest track whose file has this SHA-256; None if there is none."""
        query = sa.select(tracks).where(tracks.c.digest == digest).order_by(tracks.c.number.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _track_of(row)

    def page(
        self, which: TrackFilter = EVERYTHING, limit: int = PAGE, before: int | None = None, offset: int = 0
    ) -> TrackPage:
        """Return a page of at most ``limit`` tracks, newest first, with numbers below ``before``.

        ``offset`` skips that many of them, for views that go anywhere in a list; new tracks shift it.
        """
        if limit < 1:
            raise InvalidRequest("limit", f"must be at least 1, got {limit}")
        # One row more than the page shows whether another page follows.
        query = sa.select(tracks).order_by(tracks.c.number.desc()).limit(limit + 1).offset(offset)
        for condition in self._conditions(which):
            query = query.where(condition)
        # A cursor and not an offset: new tracks must not shift the pages.
        if before is not None:
            query = query.where(tracks.c.number < before)
        with self._database.read() as connection:
            found = [_track_of(row) for row in connection.execute(query).mappings()]
        return TrackPage(tuple(found[:limit]), found[limit - 1].number if len(found) > limit else None)

    def count(self, which: TrackFilter = EVERYTHING) -> int:
        """Return the number of matching tracks."""
        query = sa.select(sa.func.count()).select_from(tracks).where(*self._conditions(which))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def every(self, which: TrackFilter = EVERYTHING) -> Iterator[Track]:
        """Yield all matching tracks, newest first, with one page in memory at a time."""
        before: int | None = None
        while True:
            page = self.page(which, 1_000, before)
            yield from page.tracks
            before = page.next_before
            if before is None:
                return

    def mark(self, track_id: str, marks: Marks, owner: str | None = None) -> Track:
        """Star, rate or tag a track; return the changed track. Raises TrackNotFound."""
        track = self.get(track_id, owner)
        values: dict[str, Any] = {}
        if marks.starred is not None:
            values["starred"] = marks.starred
        if marks.rating is not None:
            values["rating"] = marks.rating or None
        # Tags are searchable, so the words change with them.
        if marks.tags is not None:
            values |= {"tags": list(marks.tags), "words": _words(track.generation, marks.tags)}
        if values:
            with self._database.write() as connection:
                connection.execute(sa.update(tracks).where(tracks.c.id == track.id).values(values))
        return self.get(track.id)

    def remove(self, track_id: str, owner: str | None = None) -> Track:
        """Remove a track from the log; its file stays. Raises TrackNotFound."""
        track = self.get(track_id, owner)
        with self._database.write() as connection:
            connection.execute(sa.delete(tracks).where(tracks.c.id == track.id))
        return track

    def _conditions(self, which: TrackFilter) -> Sequence[sa.ColumnElement[bool]]:
        conditions = matching(which.search, is_sqlite=self._database.is_sqlite) if which.search else []
        if which.model is not None:
            conditions.append((tracks.c.model == which.model) | (tracks.c.generated_by == which.model))
        if which.starred:
            conditions.append(tracks.c.starred.is_(True))
        if which.owner is not None:
            conditions.append(tracks.c.owner == which.owner)
        if which.parent is not None:
            conditions.append(tracks.c.parent == which.parent)
        if which.loop:
            # As text, for the same reason as tags; quotes inside a prompt are escaped, so it cannot match there.
            request = sa.cast(tracks.c.request, sa.Text)
            conditions.append(request.contains('"loop": true') | request.contains('"form": "loop"'))
        if which.tag is not None:
            # JSON text search works the same in both databases; the quotes match whole tags only.
            conditions.append(sa.cast(tracks.c.tags, sa.Text).contains(f'"{which.tag}"', autoescape=True))
        return conditions


def track_row(new: NewTrack, now: float) -> dict[str, Any]:
    """Return the row of a new track, for callers that insert it in their own transaction."""
    return {
        "id": "".join(_LETTERS[byte % len(_LETTERS)] for byte in secrets.token_bytes(_ID_LETTERS)),
        "job_id": new.job_id, "parent": new.parent, "owner": new.owner or "", "door": new.source,
        "prompt": _plain(str(new.request.get("prompt", ""))), "request": dict(new.request),
        "model": _plain(new.model), "generated_by": _plain(new.generated_by), **_file_row(new.file),
        "duration": new.duration, "timings": dict(new.timings), "metadata": dict(new.metadata),
        "version": tunesmith.__version__, "rating": None, "starred": False, "tags": [], "words": _words(new, ()),
        "created_at": now,
    }  # fmt: skip


def _plain(text: str) -> str:
    """Return the text without NUL and lone surrogates, which databases reject; file tags may contain them."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _file_row(file: TrackFile | None) -> dict[str, Any]:
    if file is None:
        return {"path": None, "digest": None, "format": None, "bytes": None}
    return {**asdict(file), "path": None if file.path is None else path_text(file.path)}


def _words(new: NewTrack, tags: Sequence[str]) -> str:
    settings = _object(new.metadata.get("settings"))
    described = [
        str(new.metadata.get("title") or ""),
        str(settings.get("genre") or ""),
        str(settings.get("key") or ""),
    ]
    described += [edit_in_words(step) for step in edits_of(new.metadata)]
    return words_of(map(_plain, [str(new.request.get("prompt", "")), *tags, new.model, new.generated_by, *described]))


def _owned(query: sa.Select[Any], owner: str | None) -> sa.Select[Any]:
    return query if owner is None else query.where(tracks.c.owner == owner)


def _object(stored: object) -> Mapping[str, Any]:
    """Return a column's object, empty if damaged, so that the other tracks of a page are still shown."""
    return stored if isinstance(stored, dict) else {}


def _track_of(row: sa.RowMapping) -> Track:
    file = None
    if row["digest"] is not None:
        path = None if row["path"] is None else str(path_of(row["path"]))
        file = TrackFile(path, row["digest"], row["format"], row["bytes"])
    new = NewTrack(
        _object(row["request"]), row["model"], row["generated_by"], row["door"], row["duration"], file,
        _object(row["metadata"]), _object(row["timings"]), row["owner"] or None, row["job_id"], row["parent"],
    )  # fmt: skip
    return Track(
        row["id"], row["number"], new, row["created_at"], row["version"], row["rating"], row["starred"],
        tuple(row["tags"]) if isinstance(row["tags"], list) else (),
    )  # fmt: skip
