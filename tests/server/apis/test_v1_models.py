from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from fake_service import MODELS, TOKEN, FakeService, fake_context
from lazy_modules import LazyModule
from live_server import app_of, served

from tunesmith.server.apis import v1_models as model_list
from tunesmith.server.apis.replicate.errors import InvalidField, InvalidInput
from tunesmith.server.apis.replicate.models import MUSICGEN_VERSION

if TYPE_CHECKING:
    import openai
else:
    openai = LazyModule("openai")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    router = model_list.router(fake_context(FakeService(tmp_path)), lambda: MODELS)
    with served(app_of(router, model_list.errors)) as url:
        yield url + "/v1"


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=TOKEN, base_url=url, max_retries=0) as client:
        yield client


def test_openai_lists_the_models(client: openai.OpenAI) -> None:
    assert tuple(model.id for model in client.models.list()) == MODELS


def test_replicate_finds_the_same_models_under_results(url: str) -> None:
    answer = httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    found = {(model["owner"], model["name"]) for model in answer["results"]}
    assert {("meta", "musicgen"), ("tunesmith", "composer"), ("facebook", "musicgen-small")} <= found
    assert answer["next"] is None


@pytest.mark.parametrize("name", MODELS)
def test_one_model_is_found_by_its_name_with_slashes(client: openai.OpenAI, name: str) -> None:
    assert client.models.retrieve(name).id == name


def test_replicate_finds_a_model_with_its_version(url: str) -> None:
    answer = httpx.get(f"{url}/models/meta/musicgen", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    assert answer["latest_version"]["id"] == MUSICGEN_VERSION
    assert answer["id"] == "meta/musicgen"


def test_an_error_is_said_both_ways(url: str) -> None:
    answer = httpx.get(f"{url}/models/nobody/nothing", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer.json()["detail"] == answer.json()["error"]["message"]


def test_what_is_wrong_with_a_predictions_input_is_said_both_ways() -> None:
    wrong = InvalidInput([InvalidField("required", "input", "prompt is required")])
    said = json.loads(bytes(model_list.errors(wrong).body))
    assert (said["status"], said["detail"]) == (422, "- input: prompt is required\n")
    told = {"message": "- input: prompt is required", "type": "invalid_request_error", "param": None, "code": None}
    assert said["error"] == told


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody/nothing")


def test_the_built_in_composer_is_always_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    assert "composer" in model_list.installed_names()
