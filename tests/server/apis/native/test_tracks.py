"""The prompt log over HTTP, on a whole server: what was made is listed, marked, heard, varied and forgotten."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import mido
import pytest
import soundfile
from live_server import served

from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import TokenRequest, Tokens
from tunesmith.library.tracks import NewTrack, Tracks
from tunesmith.server.app import create_app

PROMPT = "calm piano with rain"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    with served(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        body = {"inputs": PROMPT, "parameters": {"duration": 1, "seed": 5}}
        client.post("/models/composer", json=body).raise_for_status()
        yield client


def newest(server: httpx.Client) -> dict[str, object]:
    found: dict[str, object] = server.get("/api/tracks").raise_for_status().json()["tracks"][-1]
    return found


def test_what_another_dialect_made_is_a_track(server: httpx.Client) -> None:
    track = newest(server)
    assert (track["prompt"], track["seed"], track["door"], track["model"]) == (PROMPT, 5, "huggingface", "composer")
    assert server.get("/api/tracks", params={"search": "RAIN calm"}).json()["tracks"][-1]["id"] == track["id"]
    assert server.get("/api/tracks", params={"search": "trumpet"}).json() == {"tracks": [], "next_before": None}


def test_its_file_is_the_job_s(server: httpx.Client) -> None:
    answer = server.get(str(newest(server)["audio"]))
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.content.startswith(b"RIFF")


def test_marks_are_put_on_it(server: httpx.Client) -> None:
    url = f"/api/tracks/{newest(server)['id']}"
    marked = server.patch(url, json={"starred": True, "rating": 5, "tags": ["intro"]}).raise_for_status().json()
    assert (marked["starred"], marked["rating"], marked["tags"]) == (True, 5, ["intro"])
    assert [one["id"] for one in server.get("/api/tracks?starred=true&tag=intro").json()["tracks"]] == [marked["id"]]


def test_variations_are_jobs_with_other_seeds_and_become_its_children(server: httpx.Client) -> None:
    parent = newest(server)
    answer = server.post(f"/api/tracks/{parent['id']}/variations", json={"n": 2})
    assert answer.status_code == 202
    assert [job["seed"] for job in answer.json()["jobs"]] == [6, 7]


def test_a_change_is_a_job_of_the_same_seed_and_says_what_was_understood(server: httpx.Client) -> None:
    url = f"/api/tracks/{newest(server)['id']}/variations"
    wanted = {"prompt": "slower, no drums, glitter", "key": "E minor"}
    told = server.post(url, json={**wanted, "explain": True})
    assert (told.status_code, told.json()["jobs"]) == (200, [])
    changed = server.post(url, json=wanted)
    assert changed.status_code == 202
    (job,) = changed.json()["jobs"]
    assert (job["seed"], changed.json()["change"]) == (newest(server)["seed"], told.json()["change"])
    assert {one["field"] for one in told.json()["change"]["changes"]} == {"tempo", "without", "key"}
    assert told.json()["change"]["not_understood"] == ["glitter"]
    request = server.get(job["url"]).json()["request"]
    assert (request["without"], request["key"], request["prompt"]) == (["drums"], "E minor", PROMPT)
    server.get(job["url"], params={"wait": 60})
    tree = server.get(f"/api/tracks/{newest(server)['id']}/tree").json()
    assert [one["changed"] for one in tree["children"] if "without drums" in one["changed"]]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"prompt": "glitter"}, "prompt"),
        ({"prompt": "faster, slower"}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "slower", "bpm": 90}, "tempo_bpm"),
        ({"instruments": [{}]}, "instruments.0"),
        ({"soundfont": "/etc/passwd"}, "soundfont"),
        ({"model": "musicgen-small"}, "model"),
        ({"n": 0}, "n"),
        ({"moood": "happy"}, "moood"),
        ({"mood": "green"}, "mood"),
    ],
)
def test_a_change_that_cannot_be_is_refused_by_name(server: httpx.Client, wrong: dict[str, object], field: str) -> None:
    answer = server.post(f"/api/tracks/{newest(server)['id']}/variations", json=wrong)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["error"]["field"] == field


def test_its_notes_and_its_parts_are_had_without_another_track(server: httpx.Client) -> None:
    track = newest(server)
    notes = server.get(str(track["midi"])).raise_for_status()
    assert notes.headers["content-type"] == "audio/midi"
    assert mido.MidiFile(file=io.BytesIO(notes.content)).length == pytest.approx(1.0, abs=0.5)
    stems = server.get(str(track["stems"])).raise_for_status()
    assert stems.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(stems.content)) as archive:
        assert len(archive.namelist()) > 1
        for name in archive.namelist():
            about = soundfile.info(io.BytesIO(archive.read(name)))
            assert (about.samplerate, about.duration) == (44_100, pytest.approx(1.0, abs=0.01))
    assert server.get(str(track["stems"])).content == stems.content
    layers = server.get(str(track["layers"]), params={"intensities": "0.2,1"}).raise_for_status()
    assert 'filename="' + str(track["id"]) + '.zip"' in layers.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(layers.content)) as archive:
        assert archive.namelist() == ["intensity-20.wav", "intensity-100.wav", "layers.json"]
        assert [one["intensity"] for one in json.loads(archive.read("layers.json"))["layers"]] == [0.2, 1.0]
    refused = server.get(str(track["layers"]), params={"intensities": "loud"})
    assert (refused.status_code, "layers: must be intensities" in refused.text) == (422, True)
    assert {one["format"] for one in server.get("/api/tracks").json()["tracks"]} == {"wav"}


@pytest.mark.parametrize("wrong", [{"rating": 9}, {"stars": 1}, {"tags": [""]}, []])
def test_marks_that_cannot_be_are_refused(server: httpx.Client, wrong: object) -> None:
    answer = server.patch(f"/api/tracks/{newest(server)['id']}", json=wrong)
    assert answer.status_code == 422
    assert "error" in answer.json()


@pytest.mark.parametrize("track_id", ["zzzzzzzzzz", "..%2f..%2fetc%2fpasswd", "a'b"])
def test_a_track_that_is_not_there_is_not_found(server: httpx.Client, track_id: str) -> None:
    here = f"/api/tracks/{track_id}"
    asked = [server.get(f"{here}{file}") for file in ("", "/audio", "/midi", "/stems")]
    assert [answer.status_code for answer in [*asked, server.delete(here)]] == [404] * 5


@pytest.mark.parametrize("track_id", ["%00", "a%1fb", "%ed%a0%80"])
def test_an_id_that_no_text_can_hold_is_refused_or_not_found(server: httpx.Client, track_id: str) -> None:
    here = f"/api/tracks/{track_id}"
    answers = [*(server.get(f"{here}{file}") for file in ("", "/audio", "/midi", "/stems")), server.delete(here)]
    assert {answer.status_code for answer in answers} <= {404, 422}
    assert all(answer.json()["error"]["message"] for answer in answers)


def test_another_owner_s_tracks_are_not_there(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings)
    ann, bob = (Tokens(database).create(TokenRequest(name)) for name in ("ann", "bob"))
    request = {"prompt": "x", "seed": 1}
    (track,) = Tracks(database).add(NewTrack(request, "composer", "composer", "api", 1.0, owner=ann.token.id))
    database.close()
    with served(create_app(settings)) as url, httpx.Client(base_url=url) as client:
        theirs = {"Authorization": f"Bearer {bob.secret}"}
        assert client.get("/api/tracks", headers=theirs).json()["tracks"] == []
        assert client.get(f"/api/tracks/{track.id}", headers=theirs).status_code == 404
        assert client.delete(f"/api/tracks/{track.id}", headers=theirs).status_code == 404
        own = {"Authorization": f"Bearer {ann.secret}"}
        assert client.get(f"/api/tracks/{track.id}", headers=own).json()["audio"] is None
        assert client.delete(f"/api/tracks/{track.id}", headers=own).status_code == 204
        assert client.get(f"/api/tracks/{track.id}", headers=own).status_code == 404
