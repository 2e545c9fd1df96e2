"""Jobs handed in and looked after over HTTP."""

from __future__ import annotations

import json

from server_parts.null_generator import MODEL
from server_parts.running_server import RunningServer


def submit(server: RunningServer, prompt: str) -> str:
    """Queue a job for the null generator; return its id once the server has acknowledged it."""
    answer = json.loads(server.post("/api/jobs", {"prompt": prompt, "model": MODEL}))
    job_id: str = answer["id"]
    return job_id


def job_path(job_id: str) -> str:
    """Return where a job is told of."""
    return f"/api/jobs/{job_id}"


def state_of(server: RunningServer, job_id: str) -> str:
    """Return where a job is."""
    state: str = server.get(job_path(job_id))["state"]
    return state
