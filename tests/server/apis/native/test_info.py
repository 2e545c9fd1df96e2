from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import pytest
from own_api import error_of, handed_in, in_state

import tunesmith
from tunesmith.cli import run


def test_a_prompt_is_explained_as_on_the_command_line(server: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    answer = server.post("/api/explain", json={"prompt": "jazz trio, 100 bpm", "seed": 3}).raise_for_status()
    assert run(["explain", "jazz trio, 100 bpm", "--seed", "3", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    # Over HTTP the score of a job has it.
    del printed["arrangement"]
    # Over HTTP tempo and seed are answers among the others.
    values = {one["field"]: one["value"] for one in answer.json()["answers"]}
    assert (printed.pop("tempo_bpm"), printed["reasons"].pop()["field"]) == (values["tempo"], "seed")
    assert values["seed"] == 3
    assert {name: answer.json()[name] for name in printed} == printed


def test_a_whole_request_is_explained(server: httpx.Client) -> None:
    request = {
        "prompt": "  🎹 calm piano, 116 bpm", "loop": True, "bars": "4", "key": "Bb minor", "format": "mp3", "bpm": 90,
        "keep_alive": 5, "seed": 11, "audio": "data:audio/wav;base64,AAAA",
    }  # fmt: skip
    found = server.post("/api/explain", json=request).raise_for_status().json()
    answers = {one["field"]: one for one in found["answers"]}
    assert (found["seed"], answers["seed"]["is_locked"], answers["tempo"]["value"]) == (11, True, 90)
    assert (answers["key"]["label"], answers["key"]["source"], answers["key"]["sets"]) == ("B♭ minor", "setting", "key")
    # In code points: the piano before them is one, though two of JavaScript's units.
    [span] = answers["mood"]["spans"]
    assert request["prompt"][span["start"] : span["end"]] == "calm"  # type: ignore[index]
    assert {"value": 8, "label": "8 bars"} in answers["bars"]["alternatives"]


def test_a_request_for_a_model_is_explained_as_the_composer_would_make_it(server: httpx.Client) -> None:
    request = {"prompt": "jazz", "model": "prompt", "top_k": 5}
    found = server.post("/api/explain", json=request).raise_for_status().json()
    assert found["warnings"] == ["top_k: the composer does not read it"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prompt"), ({"prompt": ""}, "prompt"), ({"prompt": "x", "seed": -2}, "seed"),
        ({"prompt": "x", "top_k": 5}, "top_k"), ({"prompt": "x", "soundfont": "/etc/passwd"}, "soundfont"),
        ({"prompt": "rock, 116 bpm", "hits": [{"time": 7.3}]}, "hit"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_refused(server: httpx.Client, body: dict[str, object], field: str) -> None:
    assert error_of(server.post("/api/explain", json=body)) == (422, "InvalidRequest", field)


def test_what_is_loaded_is_listed_with_its_memory_and_when_it_leaves(server: httpx.Client) -> None:
    in_state(server, handed_in(server, "x", "prompt")["id"], "succeeded")
    loaded = {one["name"]: one for one in server.get("/api/ps").raise_for_status().json()["models"]}["prompt"]
    assert loaded["memory_bytes"] > 1_000_000
    assert loaded["requests_running"] == 0
    assert 0 < loaded["expires_in_seconds"] <= 300
    assert datetime.fromisoformat(loaded["expires_at"]).tzinfo is not None


def test_the_version_is_told(server: httpx.Client) -> None:
    assert server.get("/api/version").json() == {"version": tunesmith.__version__}


def test_every_route_is_documented_with_what_it_takes_and_answers(server: httpx.Client) -> None:
    document = server.get("/openapi.json").raise_for_status().json()
    routes = {
        (method, path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/api/") and not path.startswith("/api/tracks")
    }
    assert set(routes) == {
        ("post", "/api/generate"), ("post", "/api/jobs"), ("get", "/api/jobs"), ("get", "/api/jobs/{job_id}"),
        ("get", "/api/jobs/{job_id}/audio"), ("get", "/api/jobs/{job_id}/score"),
        ("get", "/api/jobs/{job_id}/events"), ("delete", "/api/jobs/{job_id}"),
        ("post", "/api/explain"), ("get", "/api/models"), ("get", "/api/models/{name}"), ("post", "/api/models/pull"),
        ("delete", "/api/models/{name}"), ("get", "/api/ps"), ("delete", "/api/ps/{name}"), ("get", "/api/tasks"),
        ("post", "/api/edits"), ("get", "/api/version"),
    }  # fmt: skip
    for (method, path), operation in routes.items():
        good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
        assert method == "delete" or good["content"], path
        assert method != "post" or fields_of(document, operation)
    fields = fields_of(document, routes["post", "/api/generate"])
    assert {"prompt", "model", "format", "keep_alive", "priority", "audio"} <= set(fields)
    assert "soundfont" not in fields
    named = json.dumps(document)
    for reference in {part.split('"')[0] for part in named.split("#/components/schemas/")[1:]}:
        assert reference in document["components"]["schemas"], reference


def fields_of(document: Any, operation: Any) -> Any:
    """Return the fields of the JSON or the form that an operation takes."""
    content = operation["requestBody"]["content"]
    body = content.get("application/json") or content["multipart/form-data"]
    schema = body["schema"]
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]


def test_what_is_not_served_is_said_in_the_same_shape(server: httpx.Client) -> None:
    assert error_of(server.get("/api/nothing"))[0] == 404
    assert error_of(server.put("/api/jobs"))[0] == 405
