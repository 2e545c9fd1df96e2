"""Performed by a model on a whole server, and scores that come with a request."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import httpx
import mido
import pytest
import soundfile
from own_api import error_of, in_state

import tunesmith
from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.score_file import dump_score, load_score

PERFORMED = {"prompt": "lofi, 90 bpm", "model": "musical", "perform": True, "performances": 2, "bars": 1, "seed": 3}


@pytest.fixture(scope="module")
def document() -> str:
    composed = tunesmith.compose("calm piano", duration=2, seed=3)
    return dump_score(composed.score, composed.written)


@pytest.fixture(scope="module")
def job(server: httpx.Client) -> dict[str, Any]:
    started = server.post("/api/jobs", json=PERFORMED).raise_for_status().json()
    return in_state(server, started["id"], "succeeded", "failed")


def test_the_recalls_and_the_request_are_in_the_job(job: dict[str, Any]) -> None:
    assert job["state"] == "succeeded", job
    settings = job["metadata"]["settings"]
    assert settings["pitch_class_recall"] >= 0.9
    assert settings["onset_recall"] >= 0.9
    assert len(settings["performances"]) == 2
    assert (job["request"]["perform"], job["request"]["performances"]) == (True, 2)


def test_score_notes_and_stems_of_the_composition_are_there(server: httpx.Client, job: dict[str, Any]) -> None:
    tracks = server.get("/api/tracks").raise_for_status().json()["tracks"]
    track = next(one for one in tracks if one["job"] == job["id"])
    assert track["recall"]["performances"] == 2
    assert track["recall"]["pitch_class_recall"] == job["metadata"]["settings"]["pitch_class_recall"]
    composed = tunesmith.compose(str(PERFORMED["prompt"]), bars=1, seed=3)
    assert server.get(track["score"]).raise_for_status().json()["bars"] == composed.score.bars
    notes = mido.MidiFile(file=io.BytesIO(server.get(track["midi"]).raise_for_status().content))
    assert {one.name for one in notes.tracks[1:]} == {part.name for part in composed.score.parts}
    with zipfile.ZipFile(io.BytesIO(server.get(track["stems"]).raise_for_status().content)) as archive:
        assert len(archive.namelist()) == len(list(composed.stems()))


def test_a_score_is_played_by_the_composer_and_performed_by_a_model(server: httpx.Client, document: str) -> None:
    key = str(load_score(document).key)
    for fields in ({}, {"model": "musical", "perform": True, "performances": 1}):
        body = {"prompt": "warm strings", "score": document, **fields}
        answer = server.post("/api/generate", json=body).raise_for_status()
        assert soundfile.info(io.BytesIO(answer.content)).frames == 2 * 44_100
        job = server.get(f"/api/jobs/{answer.headers['x-tunesmith-job']}").json()
        assert "score" not in job["request"]
        # Its notes are not composed anew from the prompt.
        assert server.get(job["links"]["score"]).raise_for_status().json()["key"] == key


def test_a_score_may_come_as_a_file_or_as_midi(server: httpx.Client, document: str, tmp_path: Any) -> None:
    form = {"prompt": "strings", "format": "mid"}
    answer = server.post("/api/generate", data=form, files={"score": ("a.yaml", document.encode())}).raise_for_status()
    assert answer.content.startswith(b"MThd")
    write_midi(tunesmith.compose("calm piano", duration=2, seed=3).score, tmp_path / "a.mid")
    text = base64.b64encode((tmp_path / "a.mid").read_bytes()).decode()
    again = server.post("/api/generate", json={"prompt": "strings", "format": "mid", "score": text}).raise_for_status()
    assert again.content.startswith(b"MThd")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"score": "tunesmith: 1\nkey: H minor\n"}, "score"),
        ({"score": "?"}, "score"),
        ({"score": "DOCUMENT", "duration": 5}, "duration"),
        ({"model": "prompt", "perform": True}, "perform"),
        ({"performances": 2}, "performances"),
        ({"perform": True, "guide": "composer", "model": "musical"}, "perform"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    server: httpx.Client, document: str, fields: dict[str, Any], field: str
) -> None:
    given = {name: document if value == "DOCUMENT" else value for name, value in fields.items()}
    answer = server.post("/api/generate", json={"prompt": "strings", **given})
    assert error_of(answer)[0] == 422, answer.text
    assert field in answer.text


def test_another_seed_of_a_score_is_another_performance_and_words_do_not_change_it(
    server: httpx.Client, document: str
) -> None:
    body = {"prompt": "warm strings", "score": document, "model": "musical", "perform": True, "performances": 1}
    job = server.post("/api/generate", json=body).raise_for_status().headers["x-tunesmith-job"]
    tracks = server.get("/api/tracks").raise_for_status().json()["tracks"]
    track = next(one for one in tracks if one["job"] == job)
    [varied] = server.post(f"/api/tracks/{track['id']}/variations", json={"n": 1}).raise_for_status().json()["jobs"]
    assert in_state(server, varied["id"], "succeeded", "failed")["state"] == "succeeded"
    assert varied["seed"] != track["seed"]
    refused = server.post(f"/api/tracks/{track['id']}/variations", json={"prompt": "slower"})
    assert error_of(refused)[::2] == (422, "score")
