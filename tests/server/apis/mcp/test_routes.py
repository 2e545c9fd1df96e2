from __future__ import annotations

import asyncio
import io
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import soundfile
from fake_service import TOKEN, FakeService, fake_context
from lazy_modules import LazyModule
from live_server import app_of, served
from mcp_calls import over_http

from tunesmith.jobs.job import Failure
from tunesmith.server.apis.mcp import routes as dialect

if TYPE_CHECKING:
    import mcp
    import mcp_types
else:
    mcp = LazyModule("mcp")
    mcp_types = LazyModule("mcp_types")


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


@pytest.fixture
def url(service: FakeService) -> Iterator[str]:
    with served(app_of(dialect.router(fake_context(service)), dialect.errors)) as url:
        yield url


def _call(url: str, **wishes: object) -> mcp_types.CallToolResult:
    async def run() -> mcp_types.CallToolResult:
        async with over_http(url, TOKEN) as client:
            return await client.call_tool("generate_music", dict(wishes))

    return asyncio.run(run())


def test_the_tool_says_what_it_takes(url: str) -> None:
    async def run() -> None:
        async with over_http(url, TOKEN) as client:
            (tool,) = (await client.list_tools()).tools
        assert set(tool.input_schema["properties"]) == {"prompt", "duration", "seed", "tempo_bpm", "model", "format"}
        assert tool.input_schema["required"] == ["prompt"]

    asyncio.run(run())


def test_music_comes_as_text_sound_and_a_link(url: str, service: FakeService) -> None:
    result = _call(url, prompt="calm piano", duration=12, seed=7, format="flac")

    text, sound, link = result.content
    assert isinstance(text, mcp_types.TextContent)
    assert "seed 7" in text.text
    assert isinstance(sound, mcp_types.AudioContent)
    assert soundfile.info(io.BytesIO(b64decode(sound.data))).format == "FLAC"
    assert isinstance(link, mcp_types.ResourceLink)
    assert link.uri == "tunesmith://music/job0"
    assert (service.submissions[0].request.duration, service.submissions[0].owner) == (12, "somebody")


def test_the_link_leads_to_the_same_bytes(url: str) -> None:
    async def run() -> None:
        async with over_http(url, TOKEN) as client:
            _, sound, link = (await client.call_tool("generate_music", {"prompt": "calm piano"})).content
            assert isinstance(sound, mcp_types.AudioContent)
            assert isinstance(link, mcp_types.ResourceLink)
            (read,) = (await client.read_resource(link.uri)).contents
            assert isinstance(read, mcp_types.BlobResourceContents)
            assert read.blob == sound.data
            with pytest.raises(mcp.MCPError, match="no job"):
                await client.read_resource("tunesmith://music/job99")

    asyncio.run(run())


def test_progress_is_told_while_the_music_is_made(url: str) -> None:
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert total == 1.0
        told.append((progress, message))

    async def run() -> None:
        async with over_http(url, TOKEN) as client:
            await client.call_tool("generate_music", {"prompt": "calm piano"}, progress_callback=note)

    asyncio.run(run())
    assert (0.5, "playing") in told


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"prompt": " "}, "prompt: must not be empty"),
        ({"prompt": "calm piano", "duration": 0.1}, "duration: must be at least 1"),
        ({"promt": "calm piano"}, "promt: is not a field of this request; did you mean prompt?"),
        ({"prompt": "calm piano", "format": "midi"}, "format: must be 'mp3'"),
        ({"prompt": "calm piano", "bpm": [90]}, "bpm: must be a number, got an array"),
        ({"prompt": "calm piano", "audio": "/etc/passwd"}, "audio: is not a field of this request"),
        ({"prompt": "calm piano", "model": "nothing"}, "there is no model called 'nothing'"),
    ],
)
def test_a_mistake_is_said_in_our_own_words(url: str, wishes: dict[str, object], said: str) -> None:
    result = _call(url, **wishes)
    assert result.is_error
    assert isinstance(result.content[0], mcp_types.TextContent)
    assert said in result.content[0].text


def test_arguments_have_other_usual_names_and_null_is_not_given(url: str, service: FakeService) -> None:
    _call(url, prompt="calm piano", length="0:12", bpm=90, seed=-1, model=None, format=None)
    _call(url, prompt="calm piano", duration=None, tempo_bpm=None, seed=None)
    first, second = (one.request for one in service.submissions)
    assert (first.duration, first.tempo_bpm, first.seed, first.model) == (12, 90, None, "composer")
    assert (second.duration, second.tempo_bpm, second.seed, second.model) == (None, None, None, "composer")


def test_a_failure_shows_nothing_of_the_inside(url: str, service: FakeService) -> None:
    service.failure = Failure("ZeroDivisionError", "secret")
    result = _call(url, prompt="calm piano")
    assert result.is_error
    assert "secret" not in str(result.content)


def test_a_call_that_is_given_up_cancels_its_job(url: str, service: FakeService) -> None:
    service.held = True

    async def run() -> None:
        async with over_http(url, TOKEN) as client:
            call = asyncio.create_task(client.call_tool("generate_music", {"prompt": "calm piano"}))
            assert await asyncio.to_thread(service.submitted.wait, 60)
            call.cancel()
            await asyncio.wait({call})
            assert await asyncio.to_thread(service.canceled.wait, 5)

    asyncio.run(run())


def test_without_a_token_nothing_is_answered(url: str, service: FakeService) -> None:
    answer = httpx.post(f"{url}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "the token is not valid"
    assert not service.submissions


def test_behind_a_proxy_the_host_is_whatever_it_is_called_outside(url: str) -> None:
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Host": "music.example.com",
        "Accept": "application/json, text/event-stream",
    }
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{url}/mcp", json=call, headers=headers)
    assert answer.status_code == 200
    assert "generate_music" in answer.text
