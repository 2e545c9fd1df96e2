"""The clients against a really started server."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from listening_to import heard
from serving import WRONG_TOKEN, Serving
from sounds import wav_bytes

from tunesmith import (
    ApiError,
    AsyncTunesmith,
    Clip,
    DeadlineExceeded,
    GenerationFailed,
    InvalidRequest,
    NotFound,
    RemoteJob,
    ServerBusy,
    TokenRefused,
    Tunesmith,
)
from tunesmith.jobs.job import JobState

Ask = Callable[..., Any]
Held = Callable[[str], str]
SHORT = {"duration": 1, "seed": 7}


def test_music_is_made_and_saved(ask: Ask, server: Serving, tmp_path: Path) -> None:
    seen: list[RemoteJob] = []
    clip: Clip = ask(server.url, "generate", "calm piano", **SHORT, format="flac", progress=seen.append)
    assert (clip.seed, clip.generated_by, clip.duration, clip.format) == (7, "composer", 1.0, "flac")
    made = heard(clip.save(tmp_path / "piano.flac").read_bytes())
    assert (made.format, made.seconds) == ("FLAC", 1.0)
    assert seen[-1].state == "succeeded"
    assert clip.content == ask(server.url, "audio", clip.job.id)


def test_a_drawn_seed_is_told(ask: Ask, server: Serving) -> None:
    clip = ask(server.url, "generate", "calm piano", duration=1)
    assert ask(server.url, "generate", "calm piano", duration=1, seed=clip.seed).content == clip.content


def test_music_comes_as_a_stream(ask: Ask, server: Serving) -> None:
    pieces = ask(server.url, "stream", "calm piano", **SHORT)
    assert heard(b"".join(pieces)).seconds == 1.0


def test_a_job_is_handed_in_followed_and_fetched(ask: Ask, server: Serving) -> None:
    job = ask(server.url, "submit", "calm piano", **SHORT)
    told = ask(server.url, "follow", job.id)
    assert [one.progress for one in told] == sorted(one.progress for one in told)
    assert told[-1].state == "succeeded"
    assert ask(server.url, "wait", job.id) == ask(server.url, "job", job.id)
    assert job.id in [one.id for one in ask(server.url, "jobs", states=["succeeded"], limit=50)]
    assert job.id not in [one.id for one in ask(server.url, "jobs", states=["failed"])]


def test_a_job_is_cancelled_and_then_has_no_audio(ask: Ask, server: Serving, held: Held) -> None:
    job = ask(server.url, "submit", held("cancelled"), model="patient")
    assert ask(server.url, "cancel", job.id).id == job.id
    assert ask(server.url, "wait", job.id).state == "canceled"
    with pytest.raises(GenerationFailed, match="cancelled"):
        ask(server.url, "audio", job.id)


def test_a_job_past_the_deadline_is_cancelled(ask: Ask, server: Serving, held: Held) -> None:
    prompt = held("late")
    with pytest.raises(DeadlineExceeded, match=r"after 1 s job \w+ is"):
        ask(server.url, "generate", prompt, model="patient", deadline=1)
    server.wait_for_state(prompt, JobState.CANCELED)


def test_a_job_whose_task_is_cancelled_is_cancelled(server: Serving, held: Held) -> None:
    prompt = held("gone")

    async def act() -> None:
        started = asyncio.Event()
        async with AsyncTunesmith(server.url) as client:
            going = client.generate(prompt, model="patient", progress=lambda _: started.set())
            task = asyncio.create_task(going)
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(act())
    server.wait_for_state(prompt, JobState.CANCELED)


def test_a_job_whose_waiting_is_interrupted_is_cancelled(server: Serving, held: Held) -> None:
    prompt = held("interrupted")

    def interrupt(_: RemoteJob) -> None:
        raise KeyboardInterrupt

    with Tunesmith(server.url) as client, pytest.raises(KeyboardInterrupt):
        client.generate(prompt, model="patient", progress=interrupt)
    server.wait_for_state(prompt, JobState.CANCELED)


def test_the_same_key_gives_the_same_job(server: Serving) -> None:
    with Tunesmith(server.url) as client:
        first, again, other = (
            client.submit("calm piano", idempotency_key=key, duration=1, seed=7) for key in ("one", "one", "two")
        )
    assert first.id == again.id != other.id


def test_who_stops_to_follow_leaves_the_job_alone(server: Serving, held: Held) -> None:
    prompt = held("followed")
    with Tunesmith(server.url) as client:
        job = client.submit(prompt, model="patient")
        for told in client.follow(job.id):
            if told.state == "running":
                break
        assert not client.job(job.id).is_final
        Path(prompt).touch()
        assert client.wait(job.id).state == "succeeded"


def test_recordings_go_along_as_bytes_or_files(ask: Ask, server: Serving, tmp_path: Path) -> None:
    recording = tmp_path / "hum.wav"
    recording.write_bytes(wav_bytes())
    for given in (recording, recording.read_bytes()):
        with pytest.raises(GenerationFailed, match="melody: only neural models"):
            ask(server.url, "generate", "piano", melody=given, **SHORT)
    with pytest.raises(InvalidRequest, match=r"melody: .*none\.wav cannot be read"):
        ask(server.url, "generate", "piano", melody=tmp_path / "none.wav")


def test_errors_have_their_kinds(ask: Ask, server: Serving, server_with_tokens: Serving) -> None:
    with pytest.raises(ApiError, match="duration") as wrong:
        ask(server.url, "generate", "piano", duration=0)
    assert (wrong.value.status, wrong.value.field, wrong.value.exit_code) == (422, "duration", 2)
    with pytest.raises(NotFound):
        ask(server.url, "job", "none")
    with pytest.raises(GenerationFailed) as failed:
        ask(server.url, "generate", "piano", model="raising")
    assert failed.value.kind
    with pytest.raises(TokenRefused):
        ask(server_with_tokens.url, "models", options={"token": WRONG_TOKEN})
    spent = server_with_tokens.token(quota="1/day")
    assert ask(server_with_tokens.url, "generate", "piano", **SHORT, options={"token": spent})
    with pytest.raises(ServerBusy) as busy:
        ask(server_with_tokens.url, "generate", "piano", **SHORT, options={"token": spent})
    assert busy.value.retry_after
    assert busy.value.retry_after > 120


def test_tracks_are_found_marked_varied_and_forgotten(ask: Ask, server: Serving) -> None:
    ask(server.url, "generate", "a xylophone in the fog", **SHORT)
    [track] = ask(server.url, "tracks", "xylophone", limit=1)
    assert ask(server.url, "track", track["id"])["prompt"] == "a xylophone in the fog"
    assert heard(ask(server.url, "track_audio", track["id"])).seconds == 1.0
    assert ask(server.url, "track_midi", track["id"]).startswith(b"MThd")
    score = ask(server.url, "track_score", track["id"])
    assert score == ask(server.url, "score", track["job"])
    assert score["figure"] == track["figure"]
    assert len(ask(server.url, "track_peaks", track["id"], 20)["peak"]) == 20
    assert ask(server.url, "track_stems", track["id"]).startswith(b"PK")
    assert b"intensity-40.wav" in ask(server.url, "track_layers", track["id"], (0.4, 1))
    marked = ask(server.url, "mark", track["id"], starred=True, rating=4, tags=["misty"])
    assert (marked["starred"], marked["rating"], marked["tags"]) == (True, 4, ["misty"])
    assert track["id"] in [one["id"] for one in ask(server.url, "tracks", starred=True, tag="misty")]
    jobs = ask(server.url, "vary", track["id"], 2)
    assert [ask(server.url, "wait", job.id).state for job in jobs] == ["succeeded", "succeeded"]
    edited = ask(server.url, "edit_score", track["id"], chords={1: "Abmaj7"}, transpose=0)
    assert edited.document["request"]["score_edits"] == ["chord 1=Abmaj7", "transpose 0"]
    ask(server.url, "forget", track["id"])
    with pytest.raises(NotFound):
        ask(server.url, "track", track["id"])


def test_all_tracks_are_gone_through_however_many(ask: Ask, server: Serving) -> None:
    word = f"word{uuid4().hex}"
    jobs = [ask(server.url, "submit", f"{word} piano", duration=1, seed=seed) for seed in range(3)]
    for job in jobs:
        ask(server.url, "wait", job.id)
    found = ask(server.url, "each_track", word, page_size=2)
    assert found == ask(server.url, "tracks", word)
    assert sorted(track["seed"] for track in found) == [0, 1, 2]


def test_the_server_tells_of_itself(ask: Ask, server: Serving) -> None:
    import tunesmith

    assert ask(server.url, "version") == tunesmith.__version__
    assert "composer" in [model["name"] for model in ask(server.url, "models")]
    explained = ask(server.url, "explain", "lofi, 90 bpm", key="Bb minor")
    assert "lofi" in str(explained["reasons"])
    assert any(one["is_locked"] for one in explained["answers"] if one["field"] == "key")
    ask(server.url, "generate", "calm piano", **SHORT)
    assert "composer" in [model["name"] for model in ask(server.url, "loaded")]


def test_a_pull_that_cannot_be_is_an_error(ask: Ask, server: Serving) -> None:
    with pytest.raises(ApiError, match="model"):
        ask(server.url, "pull", "no model")


def test_server_and_token_come_from_the_environment_and_the_token_is_not_shown(
    server_with_tokens: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = server_with_tokens.token()
    monkeypatch.setenv("TUNESMITH_URL", f"{server_with_tokens.url}/")
    monkeypatch.setenv("TUNESMITH_TOKEN", token)
    with Tunesmith() as client:
        assert client.version()
        assert client.models()
        assert repr(client) == f"Tunesmith('{server_with_tokens.url}')"


def test_methods_show_their_own_signatures_and_words() -> None:
    client = Tunesmith("http://127.0.0.1:1")
    assert list(inspect.signature(client.tracks).parameters) == ["search", "model", "starred", "tag", "limit"]
    assert (client.cancel.__doc__ or "").startswith("Cancel a job")
    assert (Tunesmith.generate.__doc__ or "").startswith("Make music")
    client.close()


@pytest.mark.parametrize("url", ["nonsense", "ftp://there", "http://127.0.0.1:99999", "http://"])
def test_an_address_that_is_none_is_refused_at_once(ask: Ask, url: str) -> None:
    with pytest.raises(InvalidRequest, match="base_url"):
        ask(url, "version")


def test_a_track_is_made_again_with_one_thing_changed(ask: Ask, server: Serving) -> None:
    clip = ask(server.url, "generate", "a hammered dulcimer", **SHORT)
    track = next(one for one in ask(server.url, "tracks", "hammered dulcimer") if one["job"] == clip.job.id)
    told = ask(server.url, "understand", track["id"], "slower, glitter", key="D minor")
    slower: Clip = ask(server.url, "again", track["id"], "slower, glitter", key="D minor")
    assert (slower.seed, slower.change, told["not_understood"]) == (clip.seed, told, ["glitter"])
    assert {one["field"] for one in told["changes"]} == {"tempo", "key"}
    assert [one["changed"] for one in ask(server.url, "tree", track["id"])["children"]] == [
        f"key D minor; tempo_bpm {slower.job.document['request']['tempo_bpm']:g}"
    ]
    (job,) = ask(server.url, "vary", track["id"], words="no drums", n=1)
    assert job.document["request"]["seed"] == clip.seed + 1
    for wrong in ({}, {"words": "glitter"}, {"words": "faster, slower"}):
        with pytest.raises((ApiError, InvalidRequest)):
            ask(server.url, "again", track["id"], **wrong)
