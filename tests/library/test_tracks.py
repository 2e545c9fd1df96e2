"""The prompt log on both databases: what goes in comes out, and is found by its words, marks and owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from budgets import VALUES
from databases import FakeClock
from hypothesis import example, given
from hypothesis import strategies as st

from tunesmith.errors import InvalidRequest, TrackNotFound
from tunesmith.library.database import Database
from tunesmith.library.tracks import Marks, NewTrack, TrackFile, TrackFilter, Tracks, words_of

FILE = TrackFile("/music/calm.wav", "ab" * 32, "wav", 1_000)


def made(prompt: str, **wishes: Any) -> NewTrack:
    fields: Mapping[str, Any] = {"model": "composer", "generated_by": "composer", "source": "cli", "duration": 3.0}
    return NewTrack(request={"prompt": prompt, "seed": 7}, **{**fields, **wishes})


@pytest.fixture
def log(database: Database, clock: FakeClock) -> Tracks:
    return Tracks(database, clock)


def test_what_was_added_is_read_back(log: Tracks, clock: FakeClock) -> None:
    piece = made("calm piano", file=FILE, metadata={"licence": "free", "settings": {"genre": "ambient"}},
                 timings={"generate": 1.5}, owner="ann", job_id="j1", parent="p1")  # fmt: skip
    (track,) = log.add(piece)
    assert (track.generation, track.created_at, track.seed, track.prompt) == (piece, clock.now, 7, "calm piano")
    assert log.get(track.id) == track


def test_a_track_is_found_by_how_its_id_begins(log: Tracks) -> None:
    (track,) = log.add(made("calm piano"))
    assert log.get(track.id[:6].upper()) == track


@pytest.mark.parametrize("wrong", ["", "zz", "zzzzzzzzzz", "../../etc", "a'b", "%%%%", "\0\0\0\0"])
def test_an_id_that_is_none_is_not_found(log: Tracks, wrong: str) -> None:
    log.add(made("calm piano"))
    with pytest.raises(TrackNotFound):
        log.get(wrong)


def test_an_owner_sees_their_own_tracks_only(log: Tracks) -> None:
    anns, bobs = log.add(made("one", owner="ann"), made("two", owner="bob"))
    assert log.page(TrackFilter(owner="ann")).tracks == (anns,)
    with pytest.raises(TrackNotFound):
        log.get(bobs.id, "ann")
    with pytest.raises(TrackNotFound):
        log.mark(bobs.id, Marks(starred=True), "ann")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("piano", {"Calm PIANO with rain", "piano/strings 90 bpm"}),
        ("rain pia", {"Calm PIANO with rain"}),
        ("cafe", {"Musique de café"}),
        ("CAFÉ", {"Musique de café"}),
        ("钢琴", {"放松的钢琴音乐"}),
        ("strings", {"piano/strings 90 bpm"}),
        ("90", {"piano/strings 90 bpm"}),
        ("ian", set()),
        ("nothing like it", set()),
        ("'\" OR * ( ) : ^ - NEAR \\", set()),
    ],
)
def test_words_find_tracks(log: Tracks, search: str, found: set[str]) -> None:
    log.add(*map(made, ["Calm PIANO with rain", "piano/strings 90 bpm", "Musique de café", "放松的钢琴音乐"]))
    assert {track.prompt for track in log.page(TrackFilter(search=search)).tracks} == found


def test_tags_are_searched_too_and_change_with_the_tags(log: Tracks) -> None:
    (track,) = log.add(made("calm piano"))
    log.mark(track.id, Marks(tags=("intro", "Épisode 7")))
    assert [one.id for one in log.page(TrackFilter(search="episode 7")).tracks] == [track.id]
    assert [one.id for one in log.page(TrackFilter(tag="intro")).tracks] == [track.id]
    log.mark(track.id, Marks(tags=()))
    assert log.page(TrackFilter(search="episode")).tracks == ()


def test_a_removed_track_is_gone_from_the_search(log: Tracks) -> None:
    (track, other) = log.add(made("calm piano"), made("calm organ"))
    log.remove(track.id)
    assert log.page(TrackFilter(search="calm")).tracks == (other,)
    with pytest.raises(TrackNotFound):
        log.get(track.id)


def test_marks_are_kept_and_taken_back(log: Tracks) -> None:
    (track,) = log.add(made("calm piano"))
    marked = log.mark(track.id, Marks(starred=True, rating=4))
    assert (marked.starred, marked.rating) == (True, 4)
    assert log.page(TrackFilter(starred=True)).tracks == (marked,)
    cleared = log.mark(track.id, Marks(starred=False, rating=0))
    assert (cleared.starred, cleared.rating) == (False, None)


@pytest.mark.parametrize("marks", [{"rating": 6}, {"rating": -1}, {"tags": ("",)}, {"tags": ("a\nb",)}])
def test_marks_out_of_range_are_refused(marks: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        Marks(**marks)


def test_pages_join_to_the_whole_newest_first(log: Tracks) -> None:
    added = log.add(*(made(f"piece {number}") for number in range(7)))
    pages, before = [], None
    while True:
        page = log.page(limit=3, before=before)
        pages.append(page.tracks)
        before = page.next_before
        if before is None:
            break
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [track for page in pages for track in page] == list(reversed(added)) == list(log.every())


def test_any_place_of_the_list_is_reached_and_counted(log: Tracks) -> None:
    log.add(*(made(f"piece {number}") for number in range(7)))
    assert [track.prompt for track in log.page(limit=2, offset=5).tracks] == ["piece 1", "piece 0"]
    assert log.page(limit=2, offset=9).tracks == ()
    assert (log.count(), log.count(TrackFilter(search="piece 3"))) == (7, 1)


def test_loops_are_told_by_the_request_not_by_the_words(log: Tracks) -> None:
    def asked(**request: Any) -> NewTrack:
        return replace(made("x"), request={"prompt": "x", **request})

    loops = log.add(asked(loop=True), asked(form="loop"))
    log.add(asked(loop=False), asked(form="track"), asked(prompt='a "loop": true, "form": "loop"'))
    assert log.page(TrackFilter(loop=True)).tracks == tuple(reversed(loops))
    assert log.count(TrackFilter(loop=True)) == 2


def test_a_job_has_one_track(log: Tracks) -> None:
    log.add(made("one", job_id="j1"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        log.add(made("two", job_id="j1"))


@VALUES
@given(st.text())
@example("\U0001d400 e\u0301")
def test_searched_words_are_plain(text: str) -> None:
    words = words_of([text])
    assert words == words_of([words])


def test_invisible_characters_hide_no_word() -> None:
    assert words_of(["calm pi\u00adano", "\ufefflo\u200bfi"]) == "calm piano lofi"
