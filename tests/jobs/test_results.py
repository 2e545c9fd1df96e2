"""Result files: whole or not there, named by what is in them, and kept as long as promised."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from databases import FakeClock

from tunesmith.errors import InvalidRequest
from tunesmith.jobs.results import GRACE_SECONDS, OUTLINE_SUFFIX, ResultFiles, Retention

DAY = 86_400.0
UNLIMITED = Retention(days=1e6, gigabytes=1e6)


@pytest.fixture
def results(tmp_path: Path, clock: FakeClock) -> ResultFiles:
    return ResultFiles(tmp_path / "data" / "results", clock)


def files_under(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def test_a_result_is_named_by_its_digest(results: ResultFiles) -> None:
    stored = results.add(b"sound")
    assert stored.digest == hashlib.sha256(b"sound").hexdigest()
    assert stored.bytes == 5
    path = results.find(stored.digest)
    assert path == results.folder / stored.digest[:2] / stored.digest
    assert path.read_bytes() == b"sound"
    assert files_under(results.folder) == {path}


def test_a_file_is_moved_to_its_place(results: ResultFiles) -> None:
    with results.receive(".wav") as path:
        assert path.suffix == ".wav"
        path.write_bytes(b"x" * 3_000_000)
        stored = results.keep(path)
        assert not path.exists()
    assert stored.bytes == 3_000_000
    assert results.find(stored.digest) is not None


def test_what_was_not_kept_is_gone(results: ResultFiles) -> None:
    with results.receive() as path:
        path.write_bytes(b"half")
    assert files_under(results.folder) == set()


def test_a_file_that_a_power_cut_has_cut_short_counts_as_gone_until_it_is_made_again(results: ResultFiles) -> None:
    stored = results.add(b"sound")
    path = results.find(stored.digest, stored.bytes)
    assert path is not None
    path.write_bytes(b"sou")
    assert results.find(stored.digest, stored.bytes) is None
    path.write_bytes(b"")
    assert results.find(stored.digest) is None
    results.add(b"sound")
    assert results.find(stored.digest, stored.bytes) == path


def test_the_same_bytes_are_one_file(results: ResultFiles) -> None:
    with ThreadPoolExecutor(4) as pool:
        digests = {stored.digest for stored in pool.map(results.add, [b"same"] * 8)}
    assert len(digests) == len(files_under(results.folder)) == 1


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "a" * 63 + "/"])
def test_only_digests_are_looked_for(results: ResultFiles, digest: str) -> None:
    with pytest.raises(InvalidRequest, match="digest: must be 64 hexadecimal digits"):
        results.find(digest)


def test_results_go_when_their_days_are_over(results: ResultFiles, clock: FakeClock) -> None:
    old, used = results.add(b"old").digest, results.add(b"used").digest
    clock.pass_(20 * DAY)
    young = results.add(b"young").digest
    clock.pass_(20 * DAY)
    # The job that last made these bytes is young, though the file is old.
    assert results.prune(Retention(30, 100), {old: clock() - 40 * DAY, used: clock() - DAY}) == (old,)
    assert [results.find(one) is not None for one in (old, used, young)] == [False, True, True]


def test_an_outline_goes_with_its_result(results: ResultFiles, clock: FakeClock) -> None:
    digest = results.add(b"old").digest
    path = results.find(digest)
    assert path
    outline = path.with_name(path.name + OUTLINE_SUFFIX)
    outline.write_bytes(b"ab")
    clock.pass_(40 * DAY)
    assert results.prune(Retention(30, 100), {}) == (digest,)
    assert not outline.exists()


def test_the_oldest_go_when_all_are_too_large(results: ResultFiles, clock: FakeClock) -> None:
    digests = []
    for number in range(5):
        digests.append(results.add(bytes([number]) * 1000).digest)
        clock.pass_(DAY)
    uses = {digests[0]: clock() - DAY}
    assert results.prune(Retention(30, 3e-6), uses) == (digests[1], digests[2])
    assert results.prune(Retention(30, 3e-6), uses) == ()


def test_a_result_just_made_is_kept_whatever_the_limits(results: ResultFiles, clock: FakeClock) -> None:
    digest = results.add(b"x" * 1000).digest
    nothing = Retention(days=1e-9, gigabytes=1e-12)
    clock.pass_(GRACE_SECONDS - 1)
    assert results.prune(nothing, {}) == ()
    results.add(b"x" * 1000)  # made again: young again
    clock.pass_(GRACE_SECONDS - 1)
    assert results.prune(nothing, {}) == ()
    assert results.prune(nothing, {digest: clock()}) == ()
    clock.pass_(2)
    assert results.prune(nothing, {}) == (digest,)


def test_what_a_dead_process_left_is_removed_in_time(results: ResultFiles, clock: FakeClock) -> None:
    left = results.folder / "incoming" / "left.wav"
    left.write_bytes(b"half")
    os.utime(left, (clock(), clock()))
    clock.pass_(GRACE_SECONDS)
    results.prune(UNLIMITED, {})
    assert left.exists()
    clock.pass_(1)
    results.prune(UNLIMITED, {})
    assert not left.exists()


def test_servers_that_tidy_up_at_once_do_not_meet(results: ResultFiles, clock: FakeClock) -> None:
    for number in range(50):
        results.add(bytes([number]))
    clock.pass_(DAY)
    others = [ResultFiles(results.folder, clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        removed = [one for many in pool.map(lambda other: other.prune(Retention(0.5, 1), {}), others) for one in many]
    assert len(removed) == len(set(removed)) == 50


def test_nothing_else_is_ever_removed(results: ResultFiles, clock: FakeClock, tmp_path: Path) -> None:
    outside = tmp_path / "data" / ("b" * 64)
    strangers = [results.folder / "notes.txt", results.folder / "ab" / "readme", results.folder / "zz" / ("a" * 64)]
    for path in (outside, *strangers):
        path.parent.mkdir(exist_ok=True)
        path.write_text("precious")
        os.utime(path, (0, 0))
    link = results.folder / "bb" / ("b" * 64)
    link.parent.mkdir()
    link.symlink_to(outside)
    clock.pass_(1000 * DAY)
    assert results.prune(Retention(1, 1e-12), {outside.name: 0.0}) == ()
    assert all(path.read_text() == "precious" for path in (outside, *strangers, link))


def test_what_was_written_while_the_clock_was_ahead_is_not_young_for_as_long(
    results: ResultFiles, clock: FakeClock
) -> None:
    year = 365 * DAY
    clock.pass_(year)
    digest = results.add(b"of a time that is not yet").digest
    clock.pass_(-year)
    assert results.prune(Retention(30, 1), {digest: clock() + year}) == ()
    clock.pass_(31 * DAY)
    assert results.prune(Retention(30, 1), {digest: clock() + year}) == (digest,)
