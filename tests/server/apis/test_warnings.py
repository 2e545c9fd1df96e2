"""What the composer warns of reaches the caller, whatever API the request came by."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_service import FakeService
from serving import Serving

from tunesmith import Tunesmith
from tunesmith.jobs.job import JobOptions, Submission
from tunesmith.request import GenerationRequest
from tunesmith.server.apis.responses import MAX_WARNINGS_BYTES, headers_of

PROMPT = "静かなピアノ, 114, 1 second"
WARNING = "prompt: '114' is not used; write '114 bpm' for a tempo or '114 seconds' for a length"
DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "own": ("/api/generate", {"prompt": PROMPT}),
    "own stream": ("/api/generate?stream=1", {"prompt": PROMPT}),
    "huggingface": ("/models/composer", {"inputs": PROMPT}),
    "elevenlabs": ("/v1/music", {"prompt": PROMPT}),
    "openai": ("/v1/audio/speech", {"input": PROMPT, "model": "composer"}),
}


@pytest.mark.parametrize("door", DOORS)
def test_an_answer_with_music_has_the_warnings_in_a_header(server: Serving, door: str) -> None:
    path, body = DOORS[door]
    answer = httpx.post(f"{server.url}{path}", json=body, timeout=60).raise_for_status()
    assert json.loads(answer.headers["x-tunesmith-warnings"]) == [WARNING]


def test_the_job_the_clip_and_the_track_have_them(server: Serving) -> None:
    with Tunesmith(server.url) as client:
        clip = client.generate(PROMPT)
    assert clip.warnings == (WARNING,)
    assert clip.job.document["warnings"] == clip.job.document["metadata"]["warnings"] == [WARNING]
    (track, *_) = httpx.get(f"{server.url}/api/tracks", params={"search": "114"}).json()["tracks"]
    assert track["warnings"] == [WARNING]


def test_the_logs_of_a_prediction_have_them(server: Serving) -> None:
    path, headers = "/v1/models/meta/musicgen/predictions", {"prefer": "wait=60", "authorization": "Bearer x"}
    body = {"input": {"prompt": PROMPT, "duration": 1}}
    shown = httpx.post(f"{server.url}{path}", json=body, headers=headers, timeout=60).raise_for_status().json()
    assert f"warning: {WARNING}" in shown["logs"].splitlines()


def test_the_tool_says_them(server: Serving) -> None:
    call = {"name": "generate_music", "arguments": {"prompt": PROMPT}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {"accept": "application/json, text/event-stream"}
    answer = httpx.post(f"{server.url}/mcp", json=body, headers=headers, timeout=60).raise_for_status()
    assert f"warning: {WARNING}" in answer.text


def test_the_header_holds_as_many_as_fit(tmp_path: Path) -> None:
    submission = Submission(GenerationRequest(prompt="calm"), "api", None, options=JobOptions("wav"))
    job = asyncio.run(FakeService(tmp_path).submit(submission))
    assert "x-tunesmith-warnings" not in headers_of(job)
    long = replace(job, metadata={"warnings": ["é" * 300] * 3 + ["x" * MAX_WARNINGS_BYTES] + ["short\nline"]})
    header = headers_of(long)["x-tunesmith-warnings"]
    assert json.loads(header) == ["é" * 300] * 2 + ["short\nline"]
    assert len(header) <= MAX_WARNINGS_BYTES
    assert header.isascii()
