"""Live streams in runners' processes: sound without gaps, changes on time, nothing without a grant, and every end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import live_generators
import numpy as np
import pytest
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest, RunnerCrashed, TaskFailed
from tunesmith.jobs.runners import worker_process
from tunesmith.jobs.runners.live_channel import LiveChannel, LiveOpening, SoundBlock
from tunesmith.jobs.runners.local_pool import LocalPool, PoolLimits
from tunesmith.live_stream import LiveSettings

Runner = Callable[[Callable[[LocalPool], Awaitable[None]]], None]
MINE = LiveSettings.checked(prompt="lofi", notes=[69])


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Give a way to run coroutines over one pool, whose processes are started once."""
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as loop:
        patch.setenv("PYTHONPATH", live_generators.install(tmp_path_factory.mktemp("site")))
        pool = loop.run(a_pool())
        # Fails rather than hang.
        yield lambda act: loop.run(asyncio.wait_for(act(pool), 60))
        loop.run(pool.close(0))


async def a_pool() -> LocalPool:
    return LocalPool(PoolLimits())


def busy(pool: LocalPool, model: str) -> int:
    return sum(one.busy for one in pool.loaded() if one.model == model)


async def blocks(channel: LiveChannel, count: int) -> list[SoundBlock]:
    for _ in range(count):
        await channel.grant()
    return [await channel.next_block() for _ in range(count)]


async def fail(pool: LocalPool, failing: LiveSettings) -> None:
    async with pool.live("faulty", LiveOpening(failing, 1)) as other:
        await other.change(1, failing)
        await blocks(other, 1)


def samples(given: list[SoundBlock]) -> NDArray[np.float32]:
    sound = b"".join(one.sound for one in given)
    return np.frombuffer(sound, "<f4").reshape(-1, 2)


def test_every_sample_comes_once_and_in_order_from_several_streams_at_once(runner: Runner) -> None:
    async def hear(pool: LocalPool) -> int:
        async with pool.live("counting", LiveOpening(MINE, 1, "float32")) as channel:
            assert (channel.sample_rate, channel.channels) == (48_000, 2)
            left = samples([*await blocks(channel, 3), *await blocks(channel, 2)])[:, 0]
            assert np.array_equal(left * 2**20, np.arange(len(left)))
            return busy(pool, "counting")

    async def act(pool: LocalPool) -> None:
        # One of them may be done before another begins.
        assert max(await asyncio.gather(*(hear(pool) for _ in range(3)))) >= 1
        assert [one.model for one in pool.loaded()].count("counting") == 1
        assert busy(pool, "counting") == 0

    runner(act)


def test_nothing_is_made_without_a_grant_and_jobs_lose_the_slot(runner: Runner) -> None:
    async def act(pool: LocalPool) -> None:
        async with pool.live("sines", LiveOpening(MINE, 1)) as channel:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(channel.next_block(), 0.2)
            (block,) = await blocks(channel, 1)
            assert len(block.sound) == 2 * 1920 * 2 * 2
            assert pool.capacity("sines") == 15
        assert pool.capacity("sines") == 16

    runner(act)


def test_a_change_is_in_the_blocks_that_say_so_and_one_that_is_refused_changes_nothing(runner: Runner) -> None:
    async def act(pool: LocalPool) -> None:
        async with pool.live("sines", LiveOpening(MINE, 1, "float32")) as channel:
            before = await blocks(channel, 2)
            await channel.change(1, MINE.changed({"notes": []}))
            after = await blocks(channel, 1)
            assert [one.change for one in (*before, *after)] == [0, 0, 1]
            assert np.abs(samples(before)).max() > 0.05
            assert not samples(after).any()
            with pytest.raises(InvalidRequest, match=r"notes: must be at most 16 at once, got 17"):
                await channel.change(2, MINE.changed({"notes": list(range(17))}))
            assert not samples(await blocks(channel, 1)).any()

    runner(act)


def test_a_stream_that_fails_ends_and_leaves_its_process_to_others(runner: Runner) -> None:
    async def act(pool: LocalPool) -> None:
        async with pool.live("faulty", LiveOpening(MINE, 1)) as channel:
            for prompt, said in (("fail", "no sound"), ("fail at a change", "no change")):
                failing = LiveSettings.checked(prompt=prompt)
                with pytest.raises(TaskFailed) as caught:
                    await fail(pool, failing)
                assert said in caught.value.trace
            assert len(await blocks(channel, 1)) == 1
            # The process was not replaced: the first stream plays on.
            assert busy(pool, "faulty") == 1

    runner(act)


def test_a_stream_whose_process_dies_ends(runner: Runner) -> None:
    async def act(pool: LocalPool) -> None:
        with pytest.raises(RunnerCrashed):
            async with pool.live("faulty", LiveOpening(LiveSettings.checked(prompt="crash"), 1)) as channel:
                await blocks(channel, 1)

    runner(act)


def test_a_stream_that_hangs_in_a_block_ends_at_once_when_it_is_closed(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "CANCEL_SECONDS", 30.0)

    async def act(pool: LocalPool) -> None:
        async with pool.live("faulty", LiveOpening(LiveSettings.checked(prompt="hang"), 1)) as channel:
            await channel.grant()
            closing = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - closing < 10
        assert busy(pool, "faulty") == 0

    runner(act)


def test_a_model_that_cannot_play_live_says_so(runner: Runner) -> None:
    async def act(pool: LocalPool) -> None:
        with pytest.raises(TaskFailed, match="model: cannot play live"):
            async with pool.live("mute", LiveOpening(MINE, 1)):
                pass

    runner(act)


def test_the_last_of_several_slots_is_left_to_jobs(runner: Runner) -> None:
    async def act(pool: LocalPool) -> None:
        async with pool.live("faulty", LiveOpening(MINE, 1)):
            assert not pool.has_room_for_live("faulty")
            assert pool.has_room_for_live("sines")

    runner(act)
