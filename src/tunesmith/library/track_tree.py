"""The tree of a track's variations: from the track that all of them come from, and what each one changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.audio.edits import edit_in_words, edits_of
from tunesmith.errors import TrackNotFound
from tunesmith.library.tracks import Track, TrackFilter, Tracks

MAX_TRACKS = 1_000
"""The most tracks of one tree; a larger one says that it is cut."""


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
    """Return the whole tree that a track belongs to. Raises TrackNotFound."""
    track = tracks.get(track_id, owner)
    seen = {track.id}
    while (parent := _parent_of(tracks, track, owner)) is not None and parent.id not in seen:
        track = parent
        seen.add(track.id)
    return _node(tracks, track, None, owner, [MAX_TRACKS])


def _parent_of(tracks: Tracks, track: Track, owner: str | None) -> Track | None:
    if track.generation.parent is None:
        return None
    try:
        return tracks.get(track.generation.parent, owner)
    except TrackNotFound:
        # Removed from the log: the tree begins below it.
        return None


def _node(tracks: Tracks, track: Track, parent: Track | None, owner: str | None, left: list[int]) -> TrackNode:
    left[0] -= 1
    found = tracks.page(TrackFilter(owner=owner, parent=track.id), MAX_TRACKS).tracks if left[0] > 0 else ()
    children = tuple(_node(tracks, child, track, owner, left) for child in reversed(found) if left[0] > 0)
    return TrackNode(track, track.prompt if parent is None else changed(parent, track), children)


def changed(parent: Track, track: Track) -> str:
    """Return in words what a track changes of its parent."""
    own = edits_of(track.generation.metadata)[len(edits_of(parent.generation.metadata)) :]
    said = [edit_in_words(step) for step in own]
    said += _differences(parent.generation.request, track.generation.request)
    return "; ".join(said) or ("rendered" if track.generation.generated_by == "render" else "the same again")


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*before, *after} - {"model"}):
        was, now = before.get(name), after.get(name)
        if was == now or (not was and not now):
            continue
        if name == "prompt" and isinstance(now, str) and isinstance(was, str) and now.startswith(was):
            yield now[len(was) :].strip(", ")
        elif isinstance(now, list) and isinstance(was, list | None):
            yield from (f"{name} {one}" for one in now if one not in (was or ()))
            yield from (f"{name} no longer {one}" for one in was or () if one not in now)
        else:
            yield f"{name} {now:g}" if isinstance(now, float) else f"{name} {now}" if now else f"no {name} any more"
