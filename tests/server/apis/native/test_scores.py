"""Scores come before the sound, and outlines without decoding it, on a whole server."""

from __future__ import annotations

import io
from typing import Any

import httpx
import mido
import numpy as np
import pytest
import soundfile
from own_api import error_of, events_of, handed_in, in_state

from tunesmith.server.apis.native.score_schemas import PeaksDocument, ScoreDocument

REQUEST = {"prompt": "lofi in F minor, 90 bpm", "loop": True, "bars": 2, "seed": 3}


@pytest.fixture(scope="module")
def made(server: httpx.Client) -> dict[str, Any]:
    """A short loop by the composer: its job, once it has ended."""
    job = server.post("/api/jobs", json=REQUEST).raise_for_status().json()
    return in_state(server, job["id"], "succeeded")


@pytest.fixture(scope="module")
def track(server: httpx.Client, made: dict[str, Any]) -> dict[str, Any]:
    tracks = server.get("/api/tracks").raise_for_status().json()["tracks"]
    return next(one for one in tracks if one["job"] == made["id"])


def test_the_score_is_there_before_the_job_runs(server: httpx.Client) -> None:
    # Two composers at most run at once, each with a piece of twenty minutes.
    long = [server.post("/api/jobs", json={**REQUEST, "bars": 400}).json() for _ in range(4)]
    waiting = server.post("/api/jobs", json=REQUEST).raise_for_status().json()
    score = server.get(waiting["links"]["score"]).raise_for_status().json()
    assert server.get(waiting["links"]["self"]).json()["state"] == "queued"
    for job in (*long, waiting):
        server.delete(job["links"]["self"])
    assert ScoreDocument.model_validate(score).is_exact
    assert (score["key"], score["tempo_bpm"], score["bars"], score["loop"]) == ("F minor", 90, 2, True)
    assert not any("#" in chord["name"] for chord in score["chords"])


def test_it_is_an_event_of_the_job_for_those_who_ask(server: httpx.Client) -> None:
    job = server.post("/api/jobs", json={**REQUEST, "bars": 100}).raise_for_status().json()
    with server.stream("GET", job["links"]["events"], params={"score": True}) as answer:
        kinds = {}
        for kind, event in events_of(answer):
            kinds[kind] = event
            if kind == "score":
                break
    server.delete(job["links"]["self"])
    assert kinds["score"]["id"] == job["id"]
    assert ScoreDocument.model_validate(kinds["score"]["score"]).bars == 100
    assert len(kinds) == 2
    with server.stream("GET", job["links"]["events"]) as answer:
        assert "score" not in dict(events_of(answer))


def test_its_notes_are_those_of_the_midi_file(server: httpx.Client, track: dict[str, Any]) -> None:
    score = server.get(track["score"]).raise_for_status().json()
    file = mido.MidiFile(file=io.BytesIO(server.get(track["midi"]).content))
    written = {one.name: sum(event.type == "note_on" and event.velocity > 0 for event in one) for one in file.tracks}
    assert {part["name"]: len(part["notes"]) for part in score["parts"]} == {n: c for n, c in written.items() if c}
    assert score == server.get(f"/api/jobs/{track['job']}/score").json()
    assert track["figure"] == score["figure"] != []
    assert (track["title"], track["key"], track["tempo_bpm"]) == ("Lofi", score["key"], score["tempo_bpm"])


def test_an_outline_is_that_of_the_file_and_is_kept(server: httpx.Client, track: dict[str, Any]) -> None:
    samples, _ = soundfile.read(io.BytesIO(server.get(track["audio"]).content))
    for points in (1, 100, 4096):
        peaks = PeaksDocument.model_validate(server.get(track["peaks"], params={"points": points}).json())
        assert peaks.points == len(peaks.peak) == len(peaks.rms) == points
        assert max(peaks.peak) == pytest.approx(np.abs(samples).max() * 255, abs=1)
        assert all(0 < one <= other for one, other in zip(peaks.rms, peaks.peak, strict=True) if other > 1)
    assert peaks.duration == pytest.approx(track["duration"])


def test_music_without_notes_has_an_outline_and_no_score(server: httpx.Client) -> None:
    job = in_state(server, handed_in(server, "hum", "prompt")["id"], "succeeded")
    assert job["links"]["score"] is None
    assert error_of(server.get(f"/api/jobs/{job['id']}/score"))[:2] == (404, "NoScore")
    track = next(one for one in server.get("/api/tracks").json()["tracks"] if one["job"] == job["id"])
    assert (track["score"], track["figure"]) == (None, None)
    assert error_of(server.get(f"/api/tracks/{track['id']}/score"))[:2] == (404, "NoScore")
    assert server.get(track["peaks"]).raise_for_status().json()["peak"]


def test_what_cannot_be_drawn_is_said(server: httpx.Client, track: dict[str, Any]) -> None:
    assert error_of(server.get(track["peaks"], params={"points": 5000})) == (422, "InvalidRequest", "points")
    assert error_of(server.get("/api/jobs/none/score"))[0] == 404
    assert error_of(server.get("/api/tracks/none/peaks"))[0] == 404
    bad = server.post("/api/jobs", json={"prompt": "rock, 116 bpm", "hits": [{"time": 7.3}]}).json()
    assert error_of(server.get(bad["links"]["score"]))[0] == 422
