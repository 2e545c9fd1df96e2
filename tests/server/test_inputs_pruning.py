"""Recordings that were handed in stay while they are needed, while they are young, and while there is room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from databases import FakeClock
from sounds import wav_bytes

from tunesmith.errors import InvalidRequest
from tunesmith.jobs.results import GRACE_SECONDS, Retention
from tunesmith.jobs.uploads import UploadStore

DAY = 86_400.0
MONTH = Retention(days=30, gigabytes=1)
MOST = 100


class Inbox:
    """A folder of recordings and its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, FakeClock()
        self.files = UploadStore(folder, self.clock)

    def keep(self, seconds: float) -> Path:
        return self.files.keep(wav_bytes(seconds), "audio")

    def prune(self, retention: Retention = MONTH, in_use: tuple[Path, ...] = (), most: int = MOST) -> int:
        return self.files.prune(retention, [str(path) for path in in_use], most)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inputs")


def test_a_recording_is_kept_once_under_its_digest(inbox: Inbox) -> None:
    path = inbox.keep(1.0)
    assert inbox.keep(1.0) == path
    assert path.read_bytes() == wav_bytes(1.0)
    assert [one.name for one in inbox.folder.iterdir() if one.name != ".lock"] == [path.name]


def test_what_is_no_sound_is_not_kept(inbox: Inbox) -> None:
    with pytest.raises(InvalidRequest, match="melody"):
        inbox.files.keep(b"words", "melody")
    assert [one.name for one in inbox.folder.iterdir()] in ([], [".lock"])


def test_an_old_recording_goes_unless_an_unfinished_job_needs_it(inbox: Inbox) -> None:
    old, needed = inbox.keep(1.0), inbox.keep(1.5)
    inbox.clock.pass_(31 * DAY)
    young = inbox.keep(2.0)
    assert inbox.prune(in_use=(needed,)) == 1
    assert (old.exists(), needed.exists(), young.exists()) == (False, True, True)


def test_one_that_is_handed_in_again_is_young_again(inbox: Inbox) -> None:
    path = inbox.keep(1.0)
    inbox.clock.pass_(29 * DAY)
    inbox.keep(1.0)
    inbox.clock.pass_(29 * DAY)
    assert inbox.prune() == 0
    assert path.exists()


def test_the_oldest_go_where_all_are_too_large_but_none_of_the_last_hour(inbox: Inbox) -> None:
    oldest = inbox.keep(1.0)
    inbox.clock.pass_(60)
    second = inbox.keep(2.0)
    room_for_one = Retention(days=30, gigabytes=second.stat().st_size * 1.2 / 1e9)
    assert inbox.prune(room_for_one) == 0
    inbox.clock.pass_(GRACE_SECONDS)
    assert inbox.prune(room_for_one) == 1
    assert (oldest.exists(), second.exists()) == (False, True)


def test_not_more_go_at_once_than_asked_for(inbox: Inbox) -> None:
    paths = [inbox.keep(seconds) for seconds in (1.0, 1.25, 1.5)]
    inbox.clock.pass_(31 * DAY)
    assert [inbox.prune(most=2), inbox.prune(most=2), inbox.prune(most=2)] == [2, 1, 0]
    assert not any(path.exists() for path in paths)


def test_what_a_dead_process_left_goes_after_an_hour_and_nothing_else_is_touched(inbox: Inbox) -> None:
    left, folder = inbox.folder / "tmpab12", inbox.folder / "somebody's"
    left.write_bytes(b"half")
    folder.mkdir()
    link = inbox.folder / ("a" * 64)
    link.symlink_to(folder)
    os.utime(left, (inbox.clock(), inbox.clock()))
    assert inbox.prune() == 0
    inbox.clock.pass_(GRACE_SECONDS + 1)
    assert inbox.prune() == 1
    assert (left.exists(), folder.exists(), link.is_symlink()) == (False, True, True)
