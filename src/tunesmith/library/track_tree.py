"""The tree of a track's variations: from the track that all of them come from, and what each one changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.audio.edits import edit_in_words, edits_of
from tunesmith.composer.brief import Mood
from tunesmith.errors import TrackNotFound
from tunesmith.library.tracks import Track, TrackFilter, Tracks

MAX_TRACKS = 1_000
"""The most tracks of one tree; those of a larger one that are read last are left out."""
MAX_ANCESTORS = 50
MAX_GENERATIONS = 100
"""The most generations of one tree, of which MAX_ANCESTORS lie above the track that is asked for."""


@dataclass(frozen=True, slots=True)
class TrackNode:
    """A track in its tree: what it changes of its parent, in words, and the tracks that vary it, oldest first."""

    track: Track
    changed: str
    children: tuple[TrackNode, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the tree as plain JSON values."""
        return {
            "id": self.track.id, "prompt": self.track.prompt, "seed": self.track.seed, "changed": self.changed,
            "children": [child.as_json() for child in self.children],
        }  # fmt: skip


def tree_of(tracks: Tracks, track_id: str, owner: str | None = None) -> TrackNode:
    """Return the tree that a track belongs to, within MAX_TRACKS and MAX_GENERATIONS. Raises TrackNotFound."""
    track = tracks.get(track_id, owner)
    seen = {track.id}
    while len(seen) <= MAX_ANCESTORS and (parent := _parent_of(tracks, track, owner)) and parent.id not in seen:
        track = parent
        seen.add(track.id)
    return _node(tracks, [track], owner, [MAX_TRACKS])


def _parent_of(tracks: Tracks, track: Track, owner: str | None) -> Track | None:
    if track.generation.parent is None:
        return None
    try:
        return tracks.get(track.generation.parent, owner)
    except TrackNotFound:
        # Removed from the log: the tree begins below it.
        return None


def _node(tracks: Tracks, line: list[Track], owner: str | None, left: list[int]) -> TrackNode:
    """Return the node of the last track of a ``line``, which begins with the first of the tree."""
    track, left[0] = line[-1], left[0] - 1
    is_open = left[0] > 0 and len(line) < MAX_GENERATIONS
    found = tracks.page(TrackFilter(owner=owner, parent=track.id), MAX_TRACKS).tracks if is_open else ()
    children = tuple(_node(tracks, [*line, child], owner, left) for child in reversed(found) if left[0] > 0)
    return TrackNode(track, changed(line[-2], track) if len(line) > 1 else track.prompt, children)


def changed(parent: Track, track: Track) -> str:
    """Return in words what a track changes of its parent."""
    own = edits_of(track.generation.metadata)[len(edits_of(parent.generation.metadata)) :]
    said = [edit_in_words(step) for step in own]
    if track.generation.generated_by == "render":
        # What a score plays is in the score; the request only names it.
        return "; ".join(said) or "rendered"
    said += _differences(parent.generation.request, track.generation.request)
    return "; ".join(said) or "the same again"


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*before, *after} - {"model"}):
        was, now = before.get(name), after.get(name)
        if was == now or (not was and not now):
            continue
        if name == "prompt" and isinstance(now, str) and isinstance(was, str) and now.startswith(was):
            yield now[len(was) :].strip(", ")
        elif name == "mood" and isinstance(now, str):
            yield f"mood {_mood(now)}"
        elif isinstance(now, list) and isinstance(was, list | None):
            yield from _listed(name, "", [one for one in now if one not in (was or ())])
            yield from _listed(name, "no longer ", [one for one in was or () if one not in now])
        else:
            yield f"{name} {now:g}" if isinstance(now, float) else f"{name} {now}" if now else f"no {name} any more"


def _mood(text: str) -> str:
    """Return a mood that a change has computed, such as ``0.43,-0.65``, in words too."""
    try:
        valence, arousal = map(float, text.split(","))
    except ValueError:
        return text
    return f"{Mood(valence, arousal).in_words} ({text})"


def _listed(name: str, how: str, values: list[Any]) -> Iterator[str]:
    if values:
        # The seed of a lock is that of the piece whose decision is kept.
        shown = [str(one).partition("=")[0] if name == "lock" else str(one) for one in values]
        yield f"{name} {how}{', '.join(shown)}"
