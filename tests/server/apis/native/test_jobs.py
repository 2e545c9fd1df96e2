from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from own_api import error_of, events_of, handed_in, in_state, job_of
from started_server import wait_for


def test_a_job_is_accepted_followed_and_fetched(server: httpx.Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    answer = server.post("/api/jobs", json={"prompt": str(gate), "model": "patient", "duration": 1, "seed": 4})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == job["links"]["self"] == f"/api/jobs/{job['id']}"
    assert job["state"] in ("queued", "loading", "running")
    assert error_of(server.get(job["links"]["audio"])) == (409, "NoMusic", None)
    gate.touch()
    done = in_state(server, job["id"], "succeeded")
    assert (done["progress"], done["request"]["seed"], done["error"]) == (1.0, 4, None)
    assert all(seconds is not None for seconds in done["timings"].values())
    sound = server.get(done["result"]["url"])
    assert len(sound.content) == done["result"]["bytes"]
    assert server.get(done["result"]["url"], headers={"range": "bytes=0-3"}).content == b"RIFF"


def test_the_same_key_gives_the_same_job_and_another_body_a_conflict(server: httpx.Client) -> None:
    body, headers = {"prompt": "x", "model": "prompt", "duration": 1}, {"idempotency-key": "once"}
    first, again = (server.post("/api/jobs", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = server.post("/api/jobs", json={**body, "duration": 2}, headers=headers)
    assert error_of(other) == (409, "IdempotencyConflict", "idempotency_key")


def test_pages_lead_from_the_newest_job_to_the_oldest(server: httpx.Client) -> None:
    made = [handed_in(server, f"page {number}", "prompt")["id"] for number in range(3)]
    seen: list[str] = []
    path: str | None = "/api/jobs?limit=2"
    while path:
        page = server.get(path).raise_for_status().json()
        assert len(page["jobs"]) <= 2
        seen += [job["id"] for job in page["jobs"]]
        path = page["next"]
    assert seen[:3] == made[::-1]
    assert seen == sorted(set(seen), reverse=True)


def test_a_list_can_be_of_some_states(server: httpx.Client, tmp_path: Path) -> None:
    job = handed_in(server, tmp_path / "never")
    server.delete(f"/api/jobs/{job['id']}").raise_for_status()
    page = server.get("/api/jobs?limit=1&state=canceled&state=failed").raise_for_status().json()
    assert [one["state"] for one in page["jobs"]] == ["canceled"]
    assert page["next"] is None or "state=canceled&state=failed" in page["next"]


@pytest.mark.parametrize(
    ("query", "status"), [("limit=0", 422), ("limit=101", 422), ("limit=x", 422), ("state=odd", 422), ("before=x", 404)]
)
def test_a_wrong_page_is_refused(server: httpx.Client, query: str, status: int) -> None:
    assert error_of(server.get(f"/api/jobs?{query}"))[0] == status


def test_jobs_that_wait_know_their_place_and_events_tell_of_it(server: httpx.Client, tmp_path: Path) -> None:
    gates = [tmp_path / f"gate{number}" for number in range(3)]
    first, *waiting = (handed_in(server, gate) for gate in gates)
    in_state(server, first["id"], "running")
    wait_for(lambda: [job_of(server, job["id"])["position"] for job in waiting] == [1, 2], "their places")
    with server.stream("GET", waiting[1]["links"]["events"]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = events_of(answer)
        assert [(kind, told["position"]) for kind, told in [next(events)]] == [("queued", 2)]
        gates[0].touch()
        assert [(kind, told["position"]) for kind, told in [next(events)]] == [("queued", 1)]
        for gate in gates[1:]:
            gate.touch()
        rest = list(events)
    assert {kind for kind, _ in rest[:-1]} <= {"queued", "loading", "progress"}
    kind, done = rest[-1]
    assert (kind, done["state"]) == ("done", "succeeded")
    assert done["result"]["url"] == waiting[1]["links"]["audio"]


def test_a_running_job_says_how_far_it_is(server: httpx.Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = handed_in(server, gate)
    with server.stream("GET", job["links"]["events"]) as answer:
        for kind, told in events_of(answer):
            if kind == "progress" and told["stage"] == "waiting":
                assert told["progress"] == pytest.approx(0.1)
                gate.touch()
    assert job_of(server, job["id"])["state"] == "succeeded"


def test_the_events_of_a_finished_job_are_its_end(server: httpx.Client) -> None:
    job = handed_in(server, "x", "prompt")
    in_state(server, job["id"], "succeeded")
    with server.stream("GET", job["links"]["events"]) as answer:
        assert [kind for kind, _ in events_of(answer)] == ["done"]


def test_a_cancelled_job_ends_in_every_state(server: httpx.Client, tmp_path: Path) -> None:
    running = handed_in(server, tmp_path / "never")
    in_state(server, running["id"], "running")
    waiting = handed_in(server, tmp_path / "never")
    for job in (waiting, running):
        canceled = server.delete(job["links"]["self"])
        assert (canceled.status_code, canceled.json()["state"]) == (200, "canceled")
        assert error_of(server.get(job["links"]["audio"])) == (409, "NoMusic", None)
    done = handed_in(server, "x", "prompt")
    in_state(server, done["id"], "succeeded")
    assert server.delete(done["links"]["self"]).json()["state"] == "succeeded"


def test_a_failed_job_says_why_without_the_inside(server: httpx.Client) -> None:
    job = handed_in(server, "x", "raising")
    failed = in_state(server, job["id"], "failed")
    assert failed["error"]["type"] == "InternalError"
    assert "secret" not in str(failed)
    assert failed["result"] is None


@pytest.mark.parametrize("path", ["", "/audio", "/events"])
@pytest.mark.parametrize("job_id", ["x", "0" * 42, "..%2f..%2fetc"])
def test_a_job_that_is_not_there_is_not_found(server: httpx.Client, job_id: str, path: str) -> None:
    assert error_of(server.get(f"/api/jobs/{job_id}{path}"))[0] == 404


def test_the_end_of_a_job_is_waited_for_as_long_as_asked(server: httpx.Client, tmp_path: Path) -> None:
    job = handed_in(server, tmp_path / "waited")
    still = server.get(f"/api/jobs/{job['id']}", params={"wait": 0.2}).raise_for_status()
    assert still.elapsed.total_seconds() >= 0.2
    assert still.json()["state"] != "succeeded"
    (tmp_path / "waited").touch()
    assert server.get(f"/api/jobs/{job['id']}", params={"wait": 60}).json()["state"] == "succeeded"
    assert server.get(f"/api/jobs/{job['id']}", params={"wait": 61}).status_code == 422


def test_a_higher_priority_is_made_first_and_a_lower_one_last(server: httpx.Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = handed_in(server, gate)["id"]
    in_state(server, first, "running")
    waiting = {number: handed_in(server, gate, priority=number)["id"] for number in (-1, 0, 1)}
    places = {number: job_of(server, job_id)["position"] for number, job_id in waiting.items()}
    assert places == {1: 1, 0: 2, -1: 3}
    gate.touch()
    ends = [in_state(server, waiting[number], "succeeded")["started_at"] for number in (1, 0, -1)]
    assert ends == sorted(ends)
