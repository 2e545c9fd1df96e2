"""Every field at every door: null is not given, a wrong type is named in JSON's words, usual other names are known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient

from tunesmith.batch.column_mapping import values_of
from tunesmith.client.request_fields import request_fields
from tunesmith.config import Settings
from tunesmith.errors import IdempotencyConflict, InvalidRequest
from tunesmith.jobs.job import Job, Submission
from tunesmith.jobs.service import MusicService
from tunesmith.request import PATHS, GenerationRequest
from tunesmith.server.apis.elevenlabs import MusicBody, SoundBody
from tunesmith.server.apis.extensions import EXTENSIONS
from tunesmith.server.apis.huggingface.request import FIELDS as PARAMETERS
from tunesmith.server.apis.mcp.tool import Arguments
from tunesmith.server.apis.native.models import PullBody
from tunesmith.server.apis.native.request import BESIDE_MUSIC
from tunesmith.server.apis.native.score_edits import ScoreEditsBody
from tunesmith.server.apis.native.variations import VariationsBody
from tunesmith.server.apis.openai import SpeechBody
from tunesmith.server.apis.replicate.input_schema import FIELDS as INPUT
from tunesmith.server.app import create_app

ACCEPTED = 409
BOOLEANS = ("loop", "mono", "perform", "accompany", "snap_tempo")
PYTHONS_WORDS = re.compile(r"\b(tuple|dict|list|bool|None|NoneType|True|False|str|int|float|Mapping|class)\b")
SHOWN_CHARACTERS = 600  # Replicate's problems say the same three times


@dataclass(frozen=True)
class Door:
    """Where music is asked for: ``body`` is one that does, ``group`` the object in it that has the ``fields``."""

    path: str
    body: Mapping[str, Any]
    fields: tuple[str, ...]
    group: str | None = None
    booleans: tuple[str, ...] = BOOLEANS

    def with_field(self, **fields: Any) -> dict[str, Any]:
        """Return the body with other values of some fields."""
        if self.group is None:
            return {**self.body, **fields}
        return {**self.body, self.group: {**self.body.get(self.group, {}), **fields}}


MUSIC = tuple(name for name in GenerationRequest.model_fields if name != "soundfont")
DOORS: Mapping[str, Door] = {
    "own": Door("/api/jobs", {"prompt": "x"}, (*MUSIC, *BESIDE_MUSIC),
                booleans=(*BOOLEANS, "commercial_safe", "revenue_below_limit")),
    "explain": Door("/api/explain", {"prompt": "x"}, (*MUSIC, *BESIDE_MUSIC),
                    booleans=(*BOOLEANS, "commercial_safe", "revenue_below_limit")),
    "pull": Door("/api/models/pull", {"model": "no such model"}, tuple(PullBody.model_fields),
                 booleans=("keep_download", "accept_licence")),
    "variations": Door("/api/tracks/none/variations", {}, tuple(VariationsBody.model_fields), booleans=("explain",)),
    "score edits": Door("/api/tracks/none/score-edits", {}, tuple(ScoreEditsBody.model_fields)),
    "parameters": Door("/models/composer", {"inputs": "x"}, (*PARAMETERS, "max_new_tokens", "format"), "parameters"),
    "beside inputs": Door("/", {"inputs": "x"}, (*PARAMETERS, "max_new_tokens", "format", "model", "parameters",
                                                 "options")),
    "options": Door("/predict", {"inputs": "x"}, ("wait_for_model",), "options", ("wait_for_model",)),
    "replicate": Door("/v1/models/meta/musicgen/predictions", {"input": {"prompt": "x"}}, tuple(INPUT), "input",
                      tuple(name for name, field in INPUT.items() if field.kind == "boolean")),
    "prediction": Door("/v1/predictions", {"version": "meta/musicgen", "input": {"prompt": "x"}},
                       ("version", "input", "webhook")),
    "speech": Door("/v1/audio/speech", {"input": "x"}, (*SpeechBody.model_fields, *EXTENSIONS)),
    "music": Door("/v1/music", {"prompt": "x"}, (*MusicBody.model_fields, *EXTENSIONS),
                  booleans=(*BOOLEANS, "force_instrumental")),
    "sound": Door("/v1/sound-generation", {"text": "x"}, (*SoundBody.model_fields, *EXTENSIONS)),
}  # fmt: skip
REQUIRED = {"prompt", "inputs", "input", "text", "version"}
EACH = [(door, field) for door, one in DOORS.items() for field in dict.fromkeys(one.fields)]
BPM_DOORS = ("own", "parameters", "beside inputs", "replicate", "speech", "music", "sound")


class Taken(IdempotencyConflict):
    """Raised for every job that is handed in: what was asked for is all that matters here."""

    def __init__(self) -> None:
        super().__init__("taken")


@pytest.fixture(scope="module")
def submissions() -> list[Submission]:
    return []


@pytest.fixture(scope="module")
def plain() -> dict[str, GenerationRequest]:
    """Give a place for what each door asks for where nothing but its body is said."""
    return {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, submissions: list[Submission]) -> Iterator[TestClient]:
    """Give a client of the app, which takes no job."""

    async def submit(_: MusicService, submission: Submission) -> Job:
        submissions.append(submission)
        raise Taken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MusicService, "submit", submit)
        patch.setenv("HF_HUB_OFFLINE", "1")
        client = TestClient(create_app(Settings(data_dir=tmp_path_factory.mktemp("doors"))))
        # Without an event loop of its own it starts one, in a thread, for every request.
        with start_blocking_portal() as client.portal:
            yield client


def told(text: str, name: str) -> None:
    """Check that an error names a field, in JSON's words and briefly."""
    assert re.search(rf"\b{name}\b", text), text
    assert not PYTHONS_WORDS.search(text), text
    assert len(text) < SHOWN_CHARACTERS


@cache
def usual(door: str) -> int:
    """Return the status that a door answers with where nothing is wrong."""
    return {"explain": 200, "variations": 404, "score edits": 404, "pull": 404}.get(door, ACCEPTED)


@pytest.mark.parametrize(("door", "field"), EACH)
def test_null_is_not_given(
    server: TestClient, submissions: list[Submission], plain: dict[str, GenerationRequest], door: str, field: str
) -> None:
    one = DOORS[door]
    answer = server.post(one.path, json=one.with_field(**{field: None}))
    needed = field in REQUIRED and field in (one.body.get(one.group, {}) if one.group else one.body)
    if needed or (door, field) == ("pull", "model"):
        assert answer.status_code in (400, 422)
        told(answer.text, field)
        return
    assert answer.status_code == usual(door), answer.text
    if answer.status_code == ACCEPTED:
        made = GenerationRequest.model_validate({**submissions[-1].request.model_dump(), "seed": None})
        assert plain.setdefault(door, made) == made


@pytest.mark.parametrize(("door", "field"), EACH)
def test_a_wrong_type_is_named(server: TestClient, door: str, field: str) -> None:
    one = DOORS[door]
    wrong: tuple[Any, Any] = ([[]], {"a": {}} if field in one.booleans else True)
    for value in wrong:
        answer = server.post(one.path, json=one.with_field(**{field: value}))
        assert answer.status_code in (400, 422), (value, answer.text)
        told(answer.text, field)


@pytest.mark.parametrize("door", BPM_DOORS)
def test_usual_other_names_are_known(server: TestClient, submissions: list[Submission], door: str) -> None:
    one = DOORS[door]
    for fields in ({"bpm": 91, "length": 12}, {"tempo": 91, "duration": 12}, {"tempo_bpm": 91, "Length": 12}):
        assert server.post(one.path, json=one.with_field(**fields)).status_code == ACCEPTED
        assert (submissions[-1].request.tempo_bpm, submissions[-1].request.duration) == (91, 12)
    same = one.with_field(bpm=91, tempo=91.0)
    assert server.post(one.path, json=same).status_code == ACCEPTED
    refused = server.post(one.path, json=one.with_field(bpm=91, tempo=92))
    assert refused.status_code == 422
    told(refused.text, "bpm")
    told(refused.text, "tempo")


@pytest.mark.parametrize("door", [*BPM_DOORS, "explain"])
def test_minus_one_is_a_seed_to_be_drawn(server: TestClient, submissions: list[Submission], door: str) -> None:
    one = DOORS[door]
    assert server.post(one.path, json=one.with_field(seed=-1)).status_code == usual(door)
    assert submissions[-1].request.seed != -1


@pytest.mark.parametrize(("door", "wrong", "right"), [
    ("own", "promt", "prompt"), ("own", "fromat", "format"), ("explain", "promt", "prompt"), ("pull", "modle", "model"),
])  # fmt: skip
def test_a_misspelt_field_is_told_with_the_one_that_is_meant(
    server: TestClient, door: str, wrong: str, right: str
) -> None:
    body = {name: value for name, value in DOORS[door].body.items() if name != right}
    answer = server.post(DOORS[door].path, json={**body, wrong: "calm " * 500})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].endswith(f"{wrong}: is not a field of this request; did you mean {right}?")
    assert answer.json()["error"]["field"] == wrong


def test_no_other_spelling_gets_past_what_guards_paths(server: TestClient) -> None:
    for name in PATHS:
        for spelt in (name.upper(), name.capitalize(), f" {name}", "sound_font"):
            answer = server.post("/api/jobs", json={"prompt": "x", spelt: "/etc/passwd"})
            assert answer.status_code == 422, spelt
            assert "/etc/passwd" not in answer.text


@pytest.mark.parametrize(("path", "problem"), [
    ("/api/jobs?limit=0", "limit: must be at least 1, got '0'"),
    ("/api/jobs?limit=many", "limit: must be a whole number, got 'many'"),
    ("/api/jobs?state=over", "state.0: must be 'queued', 'loading'"),
    ("/api/tracks?starred=perhaps", "starred: must be true or false, got 'perhaps'"),
    ("/api/tracks?search=" + "x" * 501, "search: must be at most 500 characters, got 501"),
])  # fmt: skip
def test_what_a_query_asks_is_refused_in_the_same_words(server: TestClient, path: str, problem: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(problem)
    told(answer.text, "field")


@pytest.mark.parametrize("field", [name for name in GenerationRequest.model_fields if name != "prompt"])
def test_null_is_not_given_in_a_table_a_tool_and_a_client(field: str) -> None:
    assert values_of({"prompt": "x", field: None}, Path()) == {"prompt": "x"}
    assert request_fields("x", {field: None}) == {"prompt": "x"}
    if field in Arguments.model_fields:
        assert Arguments.read({"prompt": "x", field: None}) == Arguments.read({"prompt": "x"})
        with pytest.raises(InvalidRequest, match=f"^{field}: "):
            Arguments.read({"prompt": "x", field: {"a": 1}})
