"""Models loaded for callers who do not wait, and how long they are told that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from models_of_tests import installed_tiny

from tunesmith.config import Settings
from tunesmith.errors import ModelNotInstalled, TaskFailed, UnknownName
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.runners.local_pool import COMPOSER_BYTES, LocalPool, MachineMemory, PoolLimits
from tunesmith.jobs.runners.tasks import LoadedModel, ReportCallback, Task, TaskResult
from tunesmith.library.migrate import open_database
from tunesmith.server.errors import ModelIsLoading
from tunesmith.server.model_preload import ModelPreloader


class FakePool(LocalPool):
    """A pool in which loading lasts until it is let go on."""

    def __init__(self, failure: TaskFailed | None = None, elapsed: float | None = None) -> None:
        super().__init__(PoolLimits())
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        self._failure = failure
        self._elapsed = elapsed
        self._loaded: tuple[LoadedModel, ...] = ()

    async def load(self, model: str) -> float | None:
        self.asked.append(model)
        if self._elapsed is not None:
            self._loaded = (self._show(model, self._elapsed),)
        await self.go_on.wait()
        if self._failure:
            raise self._failure
        self._loaded = (self._show(model, None),)
        return 40.0

    def problem(self) -> str | None:
        return None

    def loaded(self) -> tuple[LoadedModel, ...]:
        return self._loaded

    def capacity(self, model: str) -> int:
        raise NotImplementedError(model)

    def is_loaded(self, model: str) -> bool:
        raise NotImplementedError(model)

    async def run(self, task: Task, report: ReportCallback) -> TaskResult:
        raise NotImplementedError(task, report)

    async def close(self, drain_seconds: float) -> None:
        raise NotImplementedError(drain_seconds)

    def _show(self, model: str, loading_for: float | None) -> LoadedModel:
        return LoadedModel(model, 1, 1, 0, None, loading_for)


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobQueue]:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    with closing(open_database(Settings(data_dir=tmp_path))) as database:
        yield JobQueue(database)


async def told(loading: ModelPreloader, model: str) -> float:
    """Return the seconds that a caller is told who does not wait."""
    with pytest.raises(ModelIsLoading) as caught:
        await loading.wait(model, 0)
    assert str(caught.value) == f"Model {model} is currently loading"
    assert caught.value.retry_after >= caught.value.estimated_time
    return caught.value.estimated_time


def test_what_was_measured_is_told_less_what_has_passed_and_never_less_than_a_second(queue: JobQueue) -> None:
    async def act() -> None:
        queue.loaded("composer", 20.0)
        for elapsed, left in ((5.0, 15.0), (19.9, 1.0), (99.0, 1.0)):
            pool = FakePool(elapsed=elapsed)
            loading = ModelPreloader(pool, queue, allow_fallback=True)
            for name in ("composer", "facebook/musicgen-small"):  # which the composer stands in for
                assert await told(loading, name) == pytest.approx(left, abs=0.5)
            assert pool.asked == ["composer"]
            await loading.close()

    asyncio.run(act())


def test_a_model_is_loaded_once_for_all_and_what_it_took_is_remembered(queue: JobQueue) -> None:
    async def act() -> None:
        pool = FakePool()
        loading = ModelPreloader(pool, queue, allow_fallback=True)
        assert not await loading.is_ready("composer")
        await asyncio.gather(*(told(loading, "composer") for _ in range(3)))
        waiting = asyncio.create_task(loading.wait("composer", 60))
        pool.go_on.set()
        await waiting
        assert await loading.is_ready("composer")
        assert pool.asked == ["composer"]
        async with asyncio.timeout(60):
            while queue.load_seconds("composer") is None:  # it may be used before that is written down
                await asyncio.sleep(0.001)
        assert queue.load_seconds("composer") == 40.0
        assert (await loading.wait("composer", 0)).generated_by == "composer"
        assert (await loading.wait("facebook/musicgen-small", 0)).generated_by == "composer"

    asyncio.run(act())


def test_whoever_asks_for_a_model_that_cannot_be_loaded_is_not_sent_round_in_circles(queue: JobQueue) -> None:
    async def act() -> None:
        pool = FakePool(TaskFailed("OutOfResources", "not enough memory", is_mistake=False))
        loading = ModelPreloader(pool, queue, allow_fallback=True)
        pool.go_on.set()
        await loading.wait("composer", 60)
        assert queue.load_seconds("composer") is None

    asyncio.run(act())


def test_a_model_that_is_not_there_is_refused_at_once(queue: JobQueue) -> None:
    async def act() -> None:
        loading = ModelPreloader(FakePool(), queue, allow_fallback=False)
        with pytest.raises(ModelNotInstalled, match="tunesmith pull musicgen-small"):
            await loading.wait("facebook/musicgen-small", 0)
        with pytest.raises(UnknownName):
            await loading.wait("nonsuch", 0)

    asyncio.run(act())


def test_what_a_model_takes_is_known_from_its_manifest(tmp_path: Path, queue: JobQueue) -> None:
    async def act() -> None:
        guess = await told(ModelPreloader(FakePool(), queue, allow_fallback=True), "tiny")
        assert 2.5 <= guess < 4.0

    model, memory = installed_tiny(tmp_path / "tiny", tmp_path), MachineMemory()
    asyncio.run(act())
    assert memory.needed("composer", 1) == COMPOSER_BYTES
    assert memory.needed("nonsuch", 1) == 0
    assert memory.needed("tiny", 1) < memory.needed("tiny", 2) < memory.total()
    assert 0 < memory.available() <= memory.total()
    (model.folder / "architecture.json").unlink()
    assert memory.needed("tiny", 1) == 0
