"""The names that clients know MusicGen by, at every door: the model where it is here, else a declared stand-in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from serving import TINY, Serving

from tunesmith.jobs.job import JobState

MCP_HEADERS = {"accept": "application/json, text/event-stream"}


@dataclass(frozen=True)
class Door:
    """How a dialect is asked for music by a model: the ``path`` and ``body`` may hold the model's name as ``MODEL``."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, server: Serving, model: str, prompt: str) -> httpx.Response:
        text = json.dumps(self.body).replace("MODEL", model).replace("PROMPT", prompt)
        path = self.path.replace("MODEL", model)
        headers = {"content-type": "application/json", **self.headers}
        return httpx.post(server.url + path, content=text, headers=headers, timeout=60)


TOOL = {"name": "generate_music", "arguments": {"prompt": "PROMPT", "model": "MODEL", "duration": 1, "format": "wav"}}
DOORS = {
    "huggingface": Door("/models/MODEL", {"inputs": "PROMPT", "parameters": {"duration": 1}}),
    "huggingface body": Door("/", {"inputs": "PROMPT", "model": "MODEL", "parameters": {"duration": 1}}),
    "own": Door("/api/generate", {"prompt": "PROMPT", "model": "MODEL", "duration": 1}),
    "replicate": Door(
        "/v1/models/MODEL/predictions", {"input": {"prompt": "PROMPT", "duration": 1}}, {"prefer": "wait=60"}
    ),
    "replicate version": Door(
        "/v1/predictions", {"version": "MODEL", "input": {"prompt": "PROMPT", "duration": 1}}, {"prefer": "wait=60"}
    ),
    "elevenlabs": Door("/v1/music", {"prompt": "PROMPT", "model_id": "MODEL", "music_length_ms": 3000}),
    "elevenlabs sound": Door("/v1/sound-generation", {"text": "PROMPT", "model_id": "MODEL", "duration_seconds": 1}),
    "openai": Door("/v1/audio/speech", {"input": "PROMPT", "model": "MODEL", "duration": 1}),
    "mcp": Door("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": TOOL}, MCP_HEADERS),
}
every_door = pytest.mark.parametrize("door", DOORS)


@every_door
def test_a_musicgen_that_is_not_here_is_stood_in_for_and_the_answer_says_so(server: Serving, door: str) -> None:
    answer = DOORS[door].ask(server, TINY, f"stand-in {door}")
    assert answer.status_code in (200, 201), answer.text
    job = server.wait_for_state(f"stand-in {door}", JobState.SUCCEEDED)
    assert (job.model, job.generated_by) == (TINY, "composer")
    assert job.metadata["asked_model"] == TINY
    if door == "mcp":
        assert f"composer (in place of {TINY}" in answer.text
    elif "replicate" in door:
        assert f"{TINY} is not installed here" in answer.json()["logs"]
    else:
        assert answer.headers["x-tunesmith-model"] == "composer"
        assert answer.headers["x-tunesmith-stand-in-for"] == TINY


@every_door
@pytest.mark.parametrize("model", [TINY, "meta/musicgen"])
def test_without_stand_ins_every_door_says_how_to_get_the_model(strict_server: Serving, door: str, model: str) -> None:
    answer = DOORS[door].ask(strict_server, model, f"strict {door}")
    if door == "mcp":
        assert '"isError":true' in answer.text.replace(" ", "")
    else:
        assert answer.status_code == 404, answer.text
    assert "tunesmith pull musicgen-" in answer.text
    assert strict_server.job_of(f"strict {door}") is None


@every_door
def test_a_model_that_is_here_makes_the_music_and_nobody_speaks_of_a_stand_in(
    musicgen_server: Serving, door: str
) -> None:
    answer = DOORS[door].ask(musicgen_server, TINY, f"slow piano {len(door)}")
    assert answer.status_code in (200, 201), answer.text
    job = musicgen_server.wait_for_state(f"slow piano {len(door)}", JobState.SUCCEEDED)
    assert (job.model, job.generated_by) == (TINY, "musicgen-small")
    assert "asked_model" not in job.metadata
    assert "x-tunesmith-stand-in-for" not in answer.headers
    if "replicate" in door:
        assert "not installed" not in answer.json()["logs"]
    if door == "mcp":
        assert "s of music by musicgen-small, seed" in answer.text


@pytest.mark.parametrize("model", ["musicgen-small", "meta/musicgen", "Facebook/MusicGen-Small"])
def test_every_name_of_the_model_leads_to_it(musicgen_server: Serving, model: str) -> None:
    DOORS["huggingface"].ask(musicgen_server, model, f"by the name {model}").raise_for_status()
    job = musicgen_server.wait_for_state(f"by the name {model}", JobState.SUCCEEDED)
    assert job.generated_by == "musicgen-small"


@pytest.mark.parametrize(("door", "model"), [
    ("elevenlabs", "music_v1"), ("elevenlabs sound", "eleven_text_to_sound_v2"), ("openai", "tts-1"),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["server", "strict_server"])
def test_a_model_of_theirs_that_nobody_can_install_is_always_stood_in_for(
    request: pytest.FixtureRequest, kind: str, door: str, model: str
) -> None:
    answer = DOORS[door].ask(request.getfixturevalue(kind), model, f"theirs {door}")
    assert answer.status_code == 200
    assert answer.headers["x-tunesmith-stand-in-for"] == model


@every_door
def test_a_name_nobody_has_is_not_found_at_every_door(server: Serving, door: str) -> None:
    answer = DOORS[door].ask(server, "nobody/nothing", f"nobody {door}")
    assert server.job_of(f"nobody {door}") is None
    if door == "mcp":
        assert "there is no model called" in answer.text
    elif door == "replicate version":
        assert answer.status_code == 422
        assert answer.json()["title"] == "Invalid version or not permitted"
    else:
        assert answer.status_code == 404
