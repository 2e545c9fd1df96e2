"""Seeds that the server draws where a request leaves its own open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from work import NoStarter

from tunesmith.config import Settings
from tunesmith.errors import IdempotencyConflict
from tunesmith.jobs.dispatcher import Dispatcher
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.job import Submission
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.service import MusicService, ServiceFiles
from tunesmith.jobs.store import JobStore
from tunesmith.jobs.uploads import UploadStore
from tunesmith.library.migrate import open_database
from tunesmith.request import GenerationRequest


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MusicService]:
    files = ServiceFiles(ResultFiles(tmp_path / "results"), UploadStore(tmp_path / "inputs"))
    with closing(open_database(Settings(data_dir=tmp_path))) as database:
        starter = cast("Dispatcher", NoStarter())
        yield MusicService(JobStore(database, 10), files, JobEvents(), starter, allow_fallback=True)


def submission(key: str | None, owner: str = "me", **fields: int) -> Submission:
    request = GenerationRequest.checked(prompt="calm piano", **fields)
    return Submission(request, "test", owner, idempotency_key=key)


def test_the_same_idempotency_key_gives_the_same_job_though_the_seed_is_drawn(service: MusicService) -> None:
    async def act() -> None:
        first, again = [await service.submit(submission("k")) for _ in range(2)]
        assert first.id == again.id
        with pytest.raises(IdempotencyConflict):
            await service.submit(submission("k", duration=7))
        others = [await service.submit(one) for one in (submission("l"), submission("k", "you"), submission(None))]
        seeds = {job.request.seed for job in (first, *others)}
        assert len(seeds) == 4
        assert None not in seeds
        assert (await service.submit(submission(None, seed=5))).request.seed == 5

    asyncio.run(act())
