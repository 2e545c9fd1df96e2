"""Edits of a track's score over HTTP: a job whose track has this one as its parent, or words why there is none."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
def track(server: httpx.Client) -> dict[str, Any]:
    """Give a track of four bars."""
    fields = {"prompt": "calm piano, 120 bpm, in C major", "bars": 4, "seed": 5, "loop": True}
    job = server.post("/api/jobs", json=fields).raise_for_status().json()
    return finished(server, job["id"])


def finished(server: httpx.Client, job: str) -> dict[str, Any]:
    done = server.get(f"/api/jobs/{job}", params={"wait": 60}).raise_for_status().json()
    assert done["state"] == "succeeded", done
    tracks: list[dict[str, Any]] = server.get("/api/tracks").raise_for_status().json()["tracks"]
    return next(track for track in tracks if track["job"] == job)


def edit(server: httpx.Client, track: dict[str, Any], **edits: Any) -> httpx.Response:
    return server.post(f"/api/tracks/{track['id']}/score-edits", json=edits)


def test_an_edited_piece_is_a_child_whose_score_and_exports_have_the_edit(
    server: httpx.Client, track: dict[str, Any]
) -> None:
    before = server.get(f"/api/tracks/{track['id']}/score").json()
    answer = edit(server, track, chords={"2": "Abmaj7"})
    assert answer.status_code == 202
    document = answer.json()
    assert document["parent"] == track["id"]
    assert document["score_edits"] == ["chord 2=Abmaj7"]
    # The notes are there before the sound.
    score = server.get(f"{document['job']['url']}/score").json()
    assert [chord["name"] for chord in score["chords"]][1] == "Abmaj7"
    child = finished(server, document["job"]["id"])
    assert (child["parent"], child["seed"]) == (track["id"], track["seed"])
    assert server.get(f"/api/tracks/{child['id']}/score").json()["parts"] == score["parts"] != before["parts"]
    assert "Abmaj7" in server.get(f"/api/tracks/{child['id']}/score.yaml").text
    tree = server.get(f"/api/tracks/{track['id']}/tree").json()
    assert tree["children"][0]["changed"] == "score_edits chord 2=Abmaj7"
    section = before["sections"][0]["name"]
    twice = edit(server, child, sections=[section, f"{section}=2"]).json()
    assert twice["score_edits"] == ["chord 2=Abmaj7", f"sections {section} {section}=2"]
    seeds = server.post(f"/api/tracks/{child['id']}/variations", json={"n": 1}).json()
    assert seeds["change"]["notes"] == [
        "the edits of the score belong to this seed and are left out; lock chords and form to keep them"
    ]


@pytest.mark.parametrize(
    ("edits", "problem"),
    [
        ({}, "chords: must say what to edit"),
        ({"chords": {"9": "C"}}, "score_edits: chord 9: the piece has 4 bars"),
        ({"chords": {"0": "C"}}, "chords"),
        ({"chords": {"1": "H7"}}, "chords: must be a chord such as Fm7"),
        ({"sections": ["Q"]}, "there is no section 'Q'"),
        ({"sections": []}, "sections: sections must be 1 to 200, got 0"),
        ({"sections": ["A=0"]}, "sections: a section must be NAME or NAME=BARS"),
        ({"transpose": 40}, "transpose: must be at most 36, got 40"),
        ({"chord": {"1": "C"}}, "did you mean chords"),
    ],
)
def test_what_cannot_be_edited_is_said_before_a_job_is_made(
    server: httpx.Client, track: dict[str, Any], edits: dict[str, Any], problem: str
) -> None:
    answer = edit(server, track, **edits)
    assert answer.status_code == 422, answer.text
    assert problem in answer.json()["error"]["message"]


def test_a_track_that_is_none_has_no_score_to_edit(server: httpx.Client) -> None:
    assert edit(server, {"id": "none"}, transpose=1).status_code == 404
