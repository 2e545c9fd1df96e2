"""What tests of our own dialect say again and again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from started_server import wait_for

Json = dict[str, Any]


def handed_in(server: httpx.Client, prompt: str | Path, model: str = "patient", **fields: Any) -> Json:
    """Hand a job in; the generator ``patient`` waits for the file that the prompt names."""
    answer = server.post("/api/jobs", json={"prompt": str(prompt), "model": model, "duration": 1, **fields})
    job: Json = answer.raise_for_status().json()
    return job


def job_of(server: httpx.Client, job_id: str) -> Json:
    job: Json = server.get(f"/api/jobs/{job_id}").raise_for_status().json()
    return job


def in_state(server: httpx.Client, job_id: str, *states: str) -> Json:
    """Return the job as soon as it is in one of the states."""
    wait_for(lambda: job_of(server, job_id)["state"] in states, f"{job_id} to be {states}", pause=0.03)
    return job_of(server, job_id)


def events_of(answer: httpx.Response) -> Iterator[tuple[str, Json]]:
    """Read server-sent events."""
    kind = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


def error_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Return the status, the type and the field of an error, which has nothing but these and a message."""
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) <= {"type", "message", "field"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["type"], body["error"].get("field")
