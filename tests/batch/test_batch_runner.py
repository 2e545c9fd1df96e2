# ruff: noqa: ARG002  the interface's arguments
"""Running a batch: as many at once as allowed, failures once more, and an end where nothing can be written."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import soundfile

from tunesmith.batch.batch_runner import Batch, ItemResult
from tunesmith.batch.items import BatchItem
from tunesmith.batch.manifest import BatchManifest, Entry
from tunesmith.errors import DiskFull, InvalidItem, RunnerCrashed, ServerUnreachable, TokenRefused, TunesmithError
from tunesmith.jobs.runners.tasks import ProgressReport
from tunesmith.request import GenerationRequest

MISTAKE = InvalidItem("prompt: must rhyme")
CHANCE = RunnerCrashed("the runner ended\nsuddenly")


class FakeMaker:
    """Writes the prompt into the file, or fails as often as ``failures`` has errors for the prompt."""

    def __init__(self, failures: dict[str, list[Exception]] | None = None, places: int = 2) -> None:
        self.failures = failures or {}
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self.closed = False
        self._places = places

    def places(self, models: Sequence[str]) -> int:
        assert models == ["composer"]
        return self._places

    async def make(self, order: BatchItem, path: Path, report: Callable[[ProgressReport], None]) -> ItemResult:
        prompt = order.request.prompt
        self.asked.append(prompt)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        report(ProgressReport(running=True, fraction=0.5))
        self.at_once -= 1
        if self.failures.get(prompt):
            raise self.failures[prompt].pop(0)
        path.write_text(prompt)
        return ItemResult(12.0, {})

    async def close(self) -> None:
        self.closed = True


class Silent:
    """A watcher that keeps what it was told of ends."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, str]] = []

    def begun(self, order: BatchItem) -> None:
        pass

    def moved(self, order: BatchItem, report: ProgressReport) -> None:
        assert report.fraction == 0.5

    def ended(self, order: BatchItem, entry: Entry, made: ItemResult | None) -> Entry:
        assert (made is not None) == (entry.state == "made")
        self.ends.append((entry.row, entry.state))
        return entry


def run(
    folder: Path, maker: FakeMaker, prompts: Sequence[str], jobs: int | None = None
) -> tuple[BatchManifest, Silent]:
    orders = [
        BatchItem(
            GenerationRequest(prompt=prompt), Entry(f"id{row}", row, row + 1, {"prompt": prompt}, f"sub/{row}.wav")
        )
        for row, prompt in enumerate(prompts, start=1)
    ]
    manifest, watcher = BatchManifest(folder), Silent()
    manifest.begin([order.entry for order in orders])
    asyncio.run(Batch(manifest, maker, watcher, jobs).run(orders))
    return BatchManifest(folder), watcher


def entry_of(manifest: BatchManifest, row: int) -> Entry:
    entry = manifest.find(f"id{row}")
    assert entry is not None
    return entry


def test_every_order_is_made_and_noted(tmp_path: Path) -> None:
    maker = FakeMaker()
    manifest, _ = run(tmp_path, maker, "abcde")
    for row, prompt in enumerate("abcde", start=1):
        entry = entry_of(manifest, row)
        assert (entry.state, entry.tries, entry.duration) == ("made", 1, 12.0)
        assert entry.digest == hashlib.sha256((tmp_path / entry.file).read_bytes()).hexdigest()
        assert (tmp_path / entry.file).read_text() == prompt
    assert maker.closed


@pytest.mark.parametrize(("jobs", "most"), [(None, 2), (1, 1), (3, 3), (50, 4)])
def test_as_many_are_made_at_once_as_allowed(tmp_path: Path, jobs: int | None, most: int) -> None:
    maker = FakeMaker()
    run(tmp_path, maker, "abcd", jobs)
    assert maker.most_at_once == most


def test_a_failure_is_tried_once_more_behind_the_others(tmp_path: Path) -> None:
    maker = FakeMaker({"a": [CHANCE]})
    manifest, watcher = run(tmp_path, maker, "abc", 1)
    assert maker.asked == ["a", "b", "c", "a"]
    assert watcher.ends == [(1, "waiting"), (2, "made"), (3, "made"), (1, "made")]
    assert (entry_of(manifest, 1).state, entry_of(manifest, 1).tries, entry_of(manifest, 1).error) == ("made", 2, None)


def test_what_fails_twice_has_failed_and_the_others_are_made(tmp_path: Path) -> None:
    manifest, _ = run(tmp_path, FakeMaker({"a": [CHANCE, CHANCE]}), "ab")
    failed = entry_of(manifest, 1)
    assert (failed.state, failed.tries, failed.error) == ("failed", 2, "the runner ended suddenly")
    assert entry_of(manifest, 2).state == "made"


def test_a_mistake_is_not_tried_again(tmp_path: Path) -> None:
    manifest, _ = run(tmp_path, FakeMaker({"a": [MISTAKE]}), "ab")
    assert (entry_of(manifest, 1).state, entry_of(manifest, 1).tries) == ("failed", 1)


@pytest.mark.parametrize("error", [
    DiskFull("output: cannot write x.wav: the disk is full"), ServerUnreachable("no answer"),
    TokenRefused("the token is wrong", status=401),
])  # fmt: skip
def test_where_all_would_fail_the_batch_ends_and_the_rest_waits(tmp_path: Path, error: TunesmithError) -> None:
    maker = FakeMaker({"b": [error]})
    with pytest.raises(type(error), match=str(error)):
        run(tmp_path, maker, "abcd", 1)
    manifest = BatchManifest(tmp_path)
    assert [entry_of(manifest, row).state for row in (1, 2, 3, 4)] == ["made", "waiting", "waiting", "waiting"]
    assert maker.closed


def test_a_file_that_cannot_be_written_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "sub" / "1.wav").mkdir(parents=True)
    manifest, _ = run(tmp_path, FakeMaker(), "ab")
    assert "it is a folder" in str(entry_of(manifest, 1).error)
    assert [entry_of(manifest, row).state for row in (1, 2)] == ["failed", "made"]


def test_a_bug_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        run(tmp_path, FakeMaker({"a": [ZeroDivisionError()]}), "a")
    assert caught.group_contains(ZeroDivisionError)
    assert not caught.group_contains(TunesmithError)


class StoppedMaker(FakeMaker):
    """Writes a sound, and is stopped before it can say so."""

    def __init__(self, sound: bytes, stop: Callable[[], object]) -> None:
        super().__init__(places=1)
        self._sound, self._stop = sound, stop

    async def make(self, order: BatchItem, path: Path, report: Callable[[ProgressReport], None]) -> ItemResult:
        self._stop()
        if order.request.prompt == "unfinished":
            await asyncio.sleep(60)
        path.write_bytes(self._sound)
        if order.request.prompt == "unreported":
            await asyncio.sleep(60)
        return ItemResult(0.5, {})


@pytest.mark.parametrize(("prompt", "state"), [
    ("reported", "made"), ("unreported", "made"), ("unfinished", "waiting"),
])  # fmt: skip
def test_an_interruption_counts_every_file_that_is_there(tmp_path: Path, prompt: str, state: str) -> None:
    soundfile.write(tmp_path / "sound.wav", [0.0] * 4_000, 8_000)
    order = BatchItem(GenerationRequest(prompt=prompt), Entry("id1", 1, 1, {"prompt": prompt}, "1.wav"))
    manifest, watcher = BatchManifest(tmp_path), Silent()
    manifest.begin([order.entry])

    async def interrupted() -> None:
        task: asyncio.Task[None]
        maker = StoppedMaker((tmp_path / "sound.wav").read_bytes(), lambda: task.cancel())
        task = asyncio.create_task(Batch(manifest, maker, watcher).run([order]))
        await asyncio.wait([task])
        assert task.cancelled()
        assert maker.closed

    asyncio.run(interrupted())
    entry = entry_of(BatchManifest(tmp_path), 1)
    assert (entry.state, (tmp_path / "1.wav").exists()) == (state, state == "made")
    assert watcher.ends == ([(1, "made")] if state == "made" else [])
    assert entry.duration == (0.5 if state == "made" else None)
