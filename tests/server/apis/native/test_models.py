from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from checkpoints import copy_musicgen
from hub_server import HubServer, hub_server
from own_api import Json, error_of, events_of
from started_server import started, wait_for

from tunesmith.models.store import Store


@dataclass(frozen=True)
class Shop:
    """A server, the hub it pulls from, and its data folder."""

    server: httpx.Client
    hub: HubServer
    folder: Path

    def pull(self, **body: object) -> list[tuple[str, Json]]:
        with self.server.stream("POST", "/api/models/pull", json=body) as answer:
            assert answer.status_code == 200, answer.read()
            return list(events_of(answer))

    def names(self) -> dict[str, Json]:
        models = self.server.get("/api/models").raise_for_status().json()["models"]
        return {model["name"]: model for model in models}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("shop")
    copy_musicgen(folder / "tune")
    with pytest.MonkeyPatch.context() as patch, hub_server() as hub:
        hub.share("org/tune", folder / "tune", licence="cc-by-nc-4.0")
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(folder / "hf"))
        patch.setenv("TUNESMITH_CONFIG", str(folder / "config.toml"))
        with (
            started(folder / "data", threads="1") as process,
            httpx.Client(base_url=process.url, timeout=60) as client,
        ):
            yield Shop(client, hub, folder)


def test_a_model_is_pulled_used_and_removed(shop: Shop) -> None:
    told = shop.pull(model="org/tune", name="mine")
    assert [told[0][0], told[-1]] == ["offer", ("done", {"name": "mine"})]
    assert {kind for kind, _ in told[1:-1]} == {"progress"}
    offer = told[0][1]
    assert (offer["name"], offer["licence"], offer["commercial_use"]) == ("mine", "cc-by-nc-4.0", False)
    fractions = [event["progress"] for kind, event in told if kind == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    mine = shop.names()["mine"]
    assert (mine["installed"], mine["kind"], mine["quantization"]) == (True, "musicgen", "int8")
    assert mine["source"].startswith("org/tune at ")
    assert shop.server.get("/api/models/mine").json() == mine | as_on_the_hub("mine", None, "cc-by-nc-4.0")
    assert {"name": "top_k", "type": "integer", "minimum": 0, "maximum": 2048} in mine["fields"]
    given = {field["name"]: field["maximum"] or "noise" for field in mine["fields"]}
    body = {"prompt": "x", "model": "mine", "duration": 1, **given}
    answer = shop.server.post("/api/generate", json=body).raise_for_status()
    assert answer.headers["x-tunesmith-license"] == "cc-by-nc-4.0"
    assert shop.names()["mine"]["loaded"] is True
    assert shop.server.delete("/api/models/mine").status_code == 204
    assert "mine" not in shop.names()
    assert error_of(shop.server.delete("/api/models/mine")) == (404, "UnknownName", "model")


def test_what_is_here_and_what_can_be_had_is_listed(shop: Shop) -> None:
    models = shop.names()
    composer, small = models["composer"], models["musicgen-small"]
    assert (composer["installed"], composer["commercial_use"], composer["kind"]) == (True, True, "composer")
    assert (small["installed"], small["commercial_use"], small["source"]) == (False, False, "facebook/musicgen-small")
    hub_id = "facebook/musicgen-small"
    one = small | as_on_the_hub(hub_id, "facebook", "cc-by-nc-4.0")
    for path in (hub_id, f"{hub_id}/revision/main", f"{hub_id}?expand=pipeline_tag"):
        assert shop.server.get(f"/api/models/{path}").json() == one


def as_on_the_hub(name: str, author: str | None, licence: str) -> Json:
    """Return what a model's own document has beside that of the list, for the clients of Hugging Face's hub."""
    return {
        "id": name, "author": author, "pipeline_tag": "text-to-audio", "library_name": "tunesmith",
        "tags": ["text-to-audio", "tunesmith", f"license:{licence}"], "private": False, "gated": False,
        "disabled": False, "downloads": 0, "likes": 0,
    }  # fmt: skip


@pytest.mark.parametrize("body", [
    {"model": "../x"}, {"model": "a/../../b"}, {"model": "/etc"}, {"model": "C:\\x"}, {"model": "a\0b/c"},
    {"model": "\udcff/x"}, {"model": "a" * 5_000}, {"model": "a/" * 3_000}, {"model": "org/tune", "name": "../x"},
    {"model": "org/tune", "revision": "a/../../b"}, {"model": "org/tune", "quantization": "x" * 5_000},
], ids=lambda body: ascii(body)[:40])  # fmt: skip
def test_an_odd_name_is_not_pulled_from_anywhere(shop: Shop, body: Json) -> None:
    answer = shop.server.post("/api/models/pull", content=json.dumps(body))
    assert answer.status_code in (404, 422), answer.text
    assert len(answer.text) < 1_000


def test_a_model_that_is_not_known_is_not_found(shop: Shop) -> None:
    answer = shop.server.get("/api/models/composr")
    assert error_of(answer) == (404, "UnknownName", "model")
    assert "composer" in answer.text
    assert answer.headers["x-error-code"] == "RepoNotFound"
    assert shop.server.get("/api/models/nobody/caf%C3%A9%0A").headers["x-error-message"].isascii()


def test_the_composer_cannot_be_removed(shop: Shop) -> None:
    assert error_of(shop.server.delete("/api/models/composer")) == (404, "UnknownName", "model")


def test_a_repository_that_is_not_there_is_the_last_event(shop: Shop) -> None:
    [(kind, told)] = shop.pull(model="org/missing")
    assert (kind, told["error"]["type"]) == ("error", "DownloadError")
    assert "org/missing" in told["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"model": "/etc"}, 404, "model"),
        ({"model": "."}, 404, "model"),
        ({"model": "no model"}, 404, "model"),
        ({"model": "org/tune", "quantization": "int3"}, 422, "quantize"),
        ({"model": "org/tune", "name": "../mine"}, 422, "name"),
        ({}, 422, "model"),
        ({"model": "org/tune", "folders": True}, 422, "folders"),
    ],
)
def test_a_wrong_pull_is_refused_before_it_begins(shop: Shop, body: Json, status: int, field: str) -> None:
    answer = shop.server.post("/api/models/pull", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


def test_a_folder_of_the_server_cannot_be_pulled_by_its_path(shop: Shop) -> None:
    here = Path.cwd()  # which is the server's too
    assert (here / "src/tunesmith").is_dir()
    assert shop.server.post("/api/models/pull", json={"model": str(shop.folder / "tune")}).status_code == 404
    [(kind, told)] = shop.pull(model="src/tunesmith")
    assert (kind, told["error"]["type"]) == ("error", "DownloadError")


def test_one_name_is_pulled_once_at_a_time_and_a_pull_ends_with_its_caller(shop: Shop) -> None:
    shop.hub.hold.clear()
    try:
        with shop.server.stream("POST", "/api/models/pull", json={"model": "org/tune", "name": "held"}) as first:
            told = events_of(first)  # kept, for the connection ends with it
            assert next(told)[0] == "offer"
            again = shop.server.post("/api/models/pull", json={"model": "org/tune", "name": "held"})
            assert error_of(again) == (409, "PullUnderWay", None)
    finally:
        shop.hub.hold.set()

    def pulled() -> bool:
        answer = shop.server.post("/api/models/pull", json={"model": "org/tune", "name": "held"})
        return answer.status_code == 200 and "event: done" in answer.text

    wait_for(pulled, "the model to be free to be pulled again")
    assert Store(shop.folder / "data").get("held").name == "held"
