"""Requests that are held open: whoever hangs up has the job cancelled, at every door and however far it has come."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from serving import Serving, serving

from tunesmith.jobs.job import JobState
from tunesmith.server.apis.responses import READ_WHOLE_BYTES, file_chunks, full_response

TOOL = {"name": "generate_music", "arguments": {"prompt": "PROMPT", "model": "patient"}}
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "huggingface": ("/models/patient", {"inputs": "PROMPT"}),
    "own": ("/api/generate", {"prompt": "PROMPT", "model": "patient"}),
    "own stream": ("/api/generate?stream=1", {"prompt": "PROMPT", "model": "patient"}),
    "elevenlabs": ("/v1/music", {"prompt": "PROMPT", "model_id": "patient"}),
    "elevenlabs stream": ("/v1/music/stream", {"prompt": "PROMPT", "model_id": "patient"}),
    "openai": ("/v1/audio/speech", {"input": "PROMPT", "model": "patient"}),
    "mcp": ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": TOOL}),
}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give a server that makes one piece at a time."""
    with serving(tmp_path_factory.mktemp("narrow-server"), batch_rows="2", composer_processes="1") as one:
        yield one


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Give prompts that ``patient`` plays until the test ends."""
    prompts: list[str] = []

    def new() -> str:
        prompts.append(str(tmp_path / uuid4().hex))
        return prompts[-1]

    yield new
    for one in prompts:
        Path(one).touch()


@contextlib.contextmanager
def asking(server: Serving, door: str, prompt: str) -> Iterator[socket.socket]:
    """Send a request and hang up when the block ends, whatever has been answered."""
    path, body = DOORS[door]
    content = json.dumps(body).replace("PROMPT", prompt).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream, audio/*\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as caller:
        caller.sendall(head.encode() + content)
        yield caller


@pytest.mark.parametrize("door", DOORS)
def test_whoever_hangs_up_has_the_job_cancelled_while_it_waits_and_while_it_is_made(
    narrow: Serving, prompt: Callable[[], str], door: str
) -> None:
    running, waiting = prompt(), prompt()
    with asking(narrow, door, running):
        narrow.wait_for_state(running, JobState.RUNNING)
        with asking(narrow, door, waiting):
            narrow.wait_for_state(waiting, JobState.QUEUED)
        narrow.wait_for_state(waiting, JobState.CANCELED)
        job = narrow.job_of(running)
        assert job
        assert job.state is JobState.RUNNING
    narrow.wait_for_state(running, JobState.CANCELED)


def test_whoever_hangs_up_early_leaves_no_place_taken(narrow: Serving, prompt: Callable[[], str]) -> None:
    for _ in range(5):
        with asking(narrow, "huggingface", prompt()):
            pass
    answer = httpx.post(f"{narrow.url}/models/prompt", json={"inputs": "x"}, timeout=60)
    assert answer.status_code == 200
    last = prompt()
    with asking(narrow, "huggingface", last):
        narrow.wait_for_state(last, JobState.RUNNING)


def test_a_prediction_goes_on_when_its_caller_hangs_up(narrow: Serving, prompt: Callable[[], str]) -> None:
    """Replicate's clients ask for it again by its id."""
    text = prompt()
    url = f"{narrow.url}/v1/models/tunesmith/patient/predictions"
    with httpx.Client(timeout=0.5) as caller, pytest.raises(httpx.ReadTimeout):
        caller.post(url, json={"input": {"prompt": text}}, headers={"prefer": "wait=60"})
    job = narrow.wait_for_state(text, JobState.RUNNING)
    shown = httpx.post(f"{narrow.url}/v1/predictions/{job.id}/cancel").json()
    assert shown["status"] == "canceled"
    narrow.wait_for_state(text, JobState.CANCELED)


def test_a_job_cancelled_by_another_ends_the_request_that_waits_for_it(
    narrow: Serving, prompt: Callable[[], str]
) -> None:
    text = prompt()
    got: list[int] = []
    asked = threading.Thread(
        target=lambda: got.append(httpx.post(f"{narrow.url}/models/patient", json={"inputs": text}).status_code)
    )
    asked.start()
    job = narrow.wait_for_state(text, JobState.RUNNING)
    httpx.delete(f"{narrow.url}/api/jobs/{job.id}").raise_for_status()
    asked.join(30)
    assert got == [499]


@pytest.mark.parametrize("size", [0, 1, READ_WHOLE_BYTES, READ_WHOLE_BYTES + 1])
def test_a_file_is_sent_whole_however_large(tmp_path: Path, size: int) -> None:
    path = tmp_path / "sound"
    path.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Any:
        await asyncio.Event().wait()  # the caller stays

    async def act() -> None:
        scope = {"type": "http", "method": "GET", "headers": [], "extensions": {}}
        await (await full_response(path, "audio/wav", {"x": "y"}))(scope, receive, send)

    asyncio.run(asyncio.wait_for(act(), 30))
    assert b"".join(sent) == path.read_bytes() == b"".join(file_chunks(path))
