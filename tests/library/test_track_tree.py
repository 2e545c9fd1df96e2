"""The tree of a track's variations."""

from __future__ import annotations

from databases import FakeClock

from tunesmith.library.database import Database
from tunesmith.library.track_tree import MAX_ANCESTORS, MAX_GENERATIONS, TrackNode, tree_of
from tunesmith.library.tracks import NewTrack, Tracks


def new(parent: str | None = None, owner: str | None = None, **request: object) -> NewTrack:
    return NewTrack({"prompt": "calm piano", "seed": 7, **request}, "composer", "composer", "cli", 3.0,
                    parent=parent, owner=owner)  # fmt: skip


def test_the_tree_is_the_same_from_every_track_in_it(database: Database, clock: FakeClock) -> None:
    log = Tracks(database, clock)
    (root,) = log.add(new())
    slower, other = log.add(new(root.id, tempo_bpm=76.0), new(root.id, seed=8))
    (bare,) = log.add(new(slower.id, tempo_bpm=76.0, without=["drums"]))
    log.add(new())
    trees = [tree_of(log, track.id).as_json() for track in (root, slower, other, bare)]
    assert all(tree == trees[0] for tree in trees)
    children = trees[0]["children"]
    assert [(one["id"], one["changed"]) for one in children] == [(slower.id, "tempo_bpm 76"), (other.id, "seed 8")]
    assert [(one["id"], one["changed"]) for one in children[0]["children"]] == [(bare.id, "without drums")]


def test_the_locks_of_a_take_are_one_change_in_words(database: Database, clock: FakeClock) -> None:
    log = Tracks(database, clock)
    (root,) = log.add(new())
    log.add(new(root.id, seed=8, lock=["melody=7", "key=7"]))
    assert tree_of(log, root.id).children[0].changed == "lock melody, key; seed 8"


def test_a_mood_is_said_in_words(database: Database, clock: FakeClock) -> None:
    log = Tracks(database, clock)
    (root,) = log.add(new())
    log.add(new(root.id, mood="0.65,-0.6"), new(root.id, mood="dreamy"))
    said = {one.changed for one in tree_of(log, root.id).children}
    assert said == {"mood bright, calm (0.65,-0.6)", "mood dreamy"}


def test_a_tree_begins_below_a_removed_track_and_shows_no_one_elses(database: Database, clock: FakeClock) -> None:
    log = Tracks(database, clock)
    (root,) = log.add(new(owner="ann"))
    child, foreign = log.add(new(root.id, "ann", seed=8), new(root.id, "bob", seed=9))
    assert [one.track.id for one in tree_of(log, root.id, "ann").children] == [child.id]
    log.remove(root.id)
    assert tree_of(log, foreign.id, "bob").track.id == foreign.id
    assert tree_of(log, child.id).changed == "calm piano"


def test_a_long_line_of_changes_is_shown_around_the_track(database: Database, clock: FakeClock) -> None:
    log = Tracks(database, clock)
    line = list(log.add(new()))
    while len(line) < MAX_GENERATIONS + MAX_ANCESTORS + 10:
        line += log.add(new(line[-1].id, seed=len(line)))
    wanted = line[MAX_ANCESTORS + 5]
    shown = _ids(tree_of(log, wanted.id))
    assert shown == [track.id for track in line[5 : 5 + MAX_GENERATIONS]]
    assert wanted.id in shown


def _ids(node: TrackNode) -> list[str]:
    """Return the ids of a tree without branches, from the first track on."""
    return [node.track.id, *(name for child in node.children for name in _ids(child))]
