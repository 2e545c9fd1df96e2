"""The Model Context Protocol's own client, unmodified: over streamable HTTP and over ``tunesmith mcp``'s stdio."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from lazy_modules import LazyModule
from mcp_calls import heard_in, link_of, music, over_http, over_stdio, said, sound_of
from serving import BROKEN, TINY, WRONG_TOKEN, Serving, copy_pulled

from tunesmith.jobs.job import JobState

if TYPE_CHECKING:
    import mcp
    import mcp_types
else:
    mcp = LazyModule("mcp")
    mcp_types = LazyModule("mcp_types")

Held = Callable[[str], str]
HIDDEN = "generation failed; see the server's log"


def test_music_comes_with_a_link_to_the_same_bytes(server: Serving) -> None:
    async def run() -> None:
        async with over_http(server.url) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["generate_music"]
            result = await music(client)
            assert heard_in(result).seconds == 2.0
            assert not heard_in(result).is_silent
            assert "seed 7" in said(result)
            (read,) = (await client.read_resource(link_of(result))).contents
            assert isinstance(read, mcp_types.BlobResourceContents)
            assert b64decode(read.blob) == sound_of(result) == sound_of(await music(client))

    asyncio.run(run())


def test_a_cold_model_is_waited_for_and_its_progress_told(musicgen_server: Serving) -> None:
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001  the client's
        told.append((progress, message))

    async def run() -> None:
        async with over_http(musicgen_server.url) as client:
            wishes = {"prompt": "calm piano", "duration": 10, "model": TINY, "format": "wav"}  # long enough to be seen
            assert heard_in(await client.call_tool("generate_music", wishes, progress_callback=note)).seconds == 10.0

    asyncio.run(run())
    assert "loading" in [message for _, message in told]
    assert [progress for progress, _ in told] == sorted(progress for progress, _ in told)
    assert any(0 < progress < 1 for progress, _ in told)


def test_mistakes_are_said_to_the_model_that_calls(server: Serving, strict_server: Serving) -> None:
    async def mistakes(url: str, *wishes: dict[str, object]) -> list[str]:
        async with over_http(url) as client:
            results = [await music(client, **one) for one in wishes]  # type: ignore[arg-type]
        assert all(result.is_error for result in results)
        return [said(result) for result in results]

    empty, short, unknown, midi = asyncio.run(
        mistakes(server.url, {"prompt": "!!"}, {"duration": 0.1}, {"model": "nothing"}, {"format": "midi"})
    )
    assert "must contain words" in empty
    assert "duration: must be at least 1" in short
    assert "there is no model called 'nothing'" in unknown
    assert "format" in midi
    (absent,) = asyncio.run(mistakes(strict_server.url, {"model": TINY}))
    assert "tunesmith pull musicgen-small" in absent


def test_a_wrong_token_opens_nothing(server_with_tokens: Serving) -> None:
    async def run() -> None:
        async with over_http(server_with_tokens.url, WRONG_TOKEN) as client:
            await client.list_tools()

    with pytest.raises(BaseExceptionGroup) as caught:
        asyncio.run(run())
    assert "token" in str(caught.value.exceptions)


def test_a_token_has_its_quota_and_no_more(server_with_tokens: Serving) -> None:
    token = server_with_tokens.token(quota="1/day")

    async def run() -> None:
        async with over_http(server_with_tokens.url, token) as client:
            first, second = await music(client), await music(client)
            assert heard_in(first).seconds == 2.0
            assert second.is_error
            assert "1 piece a day" in said(second)

    asyncio.run(run())


def test_one_owners_music_is_not_read_by_another(server_with_tokens: Serving) -> None:
    async def run() -> None:
        async with over_http(server_with_tokens.url, server_with_tokens.token()) as client:
            link = link_of(await music(client))
        async with over_http(server_with_tokens.url, server_with_tokens.token()) as other:
            with pytest.raises(mcp.MCPError, match="no job"):
                await other.read_resource(link)

    asyncio.run(run())


def test_a_failure_tells_nothing_of_the_inside(server: Serving, musicgen_server: Serving) -> None:
    async def failure(url: str, model: str) -> str:
        async with over_http(url) as client:
            result = await music(client, model=model)
        assert result.is_error
        return said(result)

    assert asyncio.run(failure(server.url, "raising")) == HIDDEN
    assert asyncio.run(failure(musicgen_server.url, BROKEN)) == HIDDEN


def test_a_call_that_is_given_up_cancels_its_job(server: Serving, held: Held) -> None:
    prompt = held("given-up")

    async def run() -> None:
        async with over_http(server.url) as client:
            call = asyncio.create_task(music(client, prompt, model="patient"))
            await asyncio.to_thread(server.wait_for_state, prompt, JobState.RUNNING)
            call.cancel()
            await asyncio.wait({call})
            await asyncio.to_thread(server.wait_for_state, prompt, JobState.CANCELED)

    asyncio.run(run())


def test_stdio_needs_no_server(tmp_path: Path) -> None:
    async def run() -> None:
        async with over_stdio(tmp_path, tmp_path / "data") as client:
            result = await music(client)
            assert heard_in(result).seconds == 2.0
            assert Path(urlsplit(link_of(result)).path).read_bytes() == sound_of(result)
            assert heard_in(await music(client)).seconds == 2.0
            assert "must contain words" in said(await music(client, "!!"))
            assert "tunesmith pull musicgen-small" in said(await music(client, model=TINY))
            failed = await music(client, model="raising")
            assert failed.is_error
            assert "secret" not in said(failed)

    asyncio.run(run())


def test_over_stdio_a_cold_model_is_loaded(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    copy_pulled(tmp_path, data_dir)

    async def run() -> None:
        async with over_stdio(tmp_path, data_dir) as client:
            assert heard_in(await music(client, model=TINY)).sample_rate == 32_000
            broken = await music(client, model=BROKEN)
            assert broken.is_error
            assert "tunesmith pull" in said(broken)

    asyncio.run(run())


def test_over_stdio_a_call_that_is_given_up_makes_way_for_the_next(tmp_path: Path, held: Held) -> None:
    prompt = held("given-up")

    async def run() -> None:
        async with over_stdio(tmp_path, tmp_path / "data") as client:
            begun = asyncio.Event()

            async def note(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
                begun.set()

            wishes = {"prompt": prompt, "duration": 2, "model": "patient"}
            call = asyncio.create_task(client.call_tool("generate_music", wishes, progress_callback=note))
            await asyncio.wait_for(begun.wait(), 60)
            call.cancel()
            await asyncio.wait({call})
            assert heard_in(await music(client)).seconds == 2.0

    asyncio.run(run())
