"""Licences over HTTP: accepted before a pull, in every document with their terms, and refused on request."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gated_entry
import httpx
import pytest
import soundfile
from checkpoints import copy_musicgen
from hub_server import HubServer, hub_server
from own_api import Json, error_of, events_of
from started_server import started

from tunesmith import ApiError, Tunesmith
from tunesmith.audio.reader import read_metadata

TERMS = {
    "commercial_use": False, "licence_terms": "below-revenue-limit", "revenue_limit_usd": 1_000_000,
    "attribution": "Powered by Stability AI",
}  # fmt: skip
INJECTED = """
import sys
import gated_entry
from tunesmith.models.catalog import pullable_models
for module in list(sys.modules.values()):
    if vars(module).get("pullable_models") is pullable_models:
        module.pullable_models = lambda: gated_entry.TABLE
"""


@dataclass(frozen=True)
class Shop:
    """A server whose catalog has one model, with a licence that must be accepted, and the hub it pulls from."""

    server: httpx.Client
    hub: HubServer

    def pull(self, **body: object) -> list[tuple[str, Json]]:
        with self.server.stream("POST", "/api/models/pull", json=body) as answer:
            assert answer.status_code == 200, answer.read()
            return list(events_of(answer))

    def generate(self, **fields: object) -> httpx.Response:
        return self.server.post("/api/generate", json={"prompt": "x", "model": "gated", "duration": 1, **fields})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture
def new_shop(tmp_path: Path) -> Iterator[Shop]:
    """Give a shop where nothing has been accepted, whatever the other tests did before."""
    with open_shop(tmp_path) as opened:
        yield opened


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    copy_musicgen(folder / "gated")
    site = folder / "site"
    site.mkdir()
    # Python runs it at the start of the server and of the processes that the server starts.
    (site / "sitecustomize.py").write_text(INJECTED, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, hub_server() as hub:
        hub.share("org/gated", folder / "gated", licence="other", licence_name="stable-audio-community")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(Path(gated_entry.__file__).parent)]))
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(folder / "hf"))
        patch.setenv("TUNESMITH_CONFIG", str(folder / "config.toml"))
        with (
            started(folder / "data", threads="1") as process,
            httpx.Client(base_url=process.url, timeout=60) as client,
        ):
            yield Shop(client, hub)


@pytest.fixture(scope="module")
def installed(shop: Shop) -> Shop:
    """Give the shop with the model in it, its licence accepted."""
    events = shop.pull(model="gated", accept_licence=True)
    assert events[-1] == ("done", {"name": "gated"})
    offer = events[0][1]
    assert (offer["licence"], {name: offer[name] for name in TERMS}) == (gated_entry.LICENCE, TERMS)
    return shop


def test_a_pull_is_refused_by_name_address_and_field_until_the_licence_is_accepted(new_shop: Shop) -> None:
    shop = new_shop
    (listed,) = [one for one in shop.server.get("/api/models").json()["models"] if one["name"] == "gated"]
    assert (listed["accept_licence"], {name: listed[name] for name in TERMS}) == (True, TERMS)
    for body in ({"model": "gated"}, {"model": "org/gated"}, {"model": "gated", "accept_licence": False}):
        answer = shop.server.post("/api/models/pull", json=body)
        assert error_of(answer) == (422, "InvalidRequest", "accept_licence")
        for words in ("Stability AI Community License", "https://stability.ai/license", "Gemma Terms of Use"):
            assert words in answer.json()["error"]["message"]
    answer = shop.server.post("/api/models/pull", json={"model": "gated", "accept_licence": "perhaps"})
    assert error_of(answer) == (422, "InvalidRequest", "accept_licence")
    with (
        Tunesmith(str(shop.server.base_url)) as client,
        pytest.raises(ApiError, match="Stability AI Community License") as refused,
    ):
        list(client.pull("gated"))
    assert (refused.value.status, refused.value.field) == (422, "accept_licence")
    assert shop.hub.requests == []


def test_an_accepted_licence_is_remembered_by_the_server(installed: Shop) -> None:
    assert installed.pull(model="gated", name="again")[-1] == ("done", {"name": "again"})


def test_the_terms_are_in_job_track_and_file(installed: Shop, tmp_path: Path) -> None:
    answer = installed.generate(commercial_safe=True, revenue_below_limit=True).raise_for_status()
    assert answer.headers["x-tunesmith-license"] == gated_entry.LICENCE
    job: Json = installed.server.get(f"/api/jobs/{answer.headers['x-tunesmith-job']}").json()
    (track,) = [one for one in installed.server.get("/api/tracks").json()["tracks"] if one["job"] == job["id"]]
    (tmp_path / "a.wav").write_bytes(answer.content)
    for document in (job["result"], job["metadata"], track, read_metadata(tmp_path / "a.wav")):
        assert (document["licence"], {name: document[name] for name in TERMS}) == (gated_entry.LICENCE, TERMS)


def test_the_composer_s_music_is_free(shop: Shop) -> None:
    answer = shop.generate(model="composer", commercial_safe=True).raise_for_status()
    result: Json = shop.server.get(f"/api/jobs/{answer.headers['x-tunesmith-job']}").json()["result"]
    assert {name: result[name] for name in TERMS} == {
        "commercial_use": True, "licence_terms": "allowed", "revenue_limit_usd": None, "attribution": None,
    }  # fmt: skip


@pytest.mark.parametrize(("fields", "words"), [
    ({"commercial_safe": True}, "only below 1,000,000 US dollars of yearly revenue"),
    ({"commercial_safe": True, "revenue_below_limit": False}, "only below 1,000,000 US dollars of yearly revenue"),
    ({"commercial_safe": "true"}, "only below"), ({"commercial_safe": 7}, "must be true or false, got 7"),
])  # fmt: skip
def test_a_caller_who_wants_what_is_safe_is_refused_the_rest(
    installed: Shop, fields: dict[str, Any], words: str
) -> None:
    answer = installed.generate(**fields)
    assert error_of(answer) == (422, "InvalidRequest", "commercial_safe")
    assert words in answer.json()["error"]["message"]
    in_a_form = {"prompt": "x", "model": "gated", "duration": "1", **{name: str(one) for name, one in fields.items()}}
    answer = installed.server.post("/api/generate", files={name: (None, one) for name, one in in_a_form.items()})
    assert error_of(answer) == (422, "InvalidRequest", "commercial_safe")
    installed.generate(commercial_safe=False, revenue_below_limit=None).raise_for_status()


def test_a_recording_of_unknown_origin_is_not_safe(installed: Shop) -> None:
    composed = installed.generate(model="composer").content
    wanted = {
        "prompt": "x",
        "model": "gated",
        "duration": "2",
        "commercial_safe": "true",
        "revenue_below_limit": "true",
    }
    answer = installed.server.post("/api/generate", data=wanted, files={"audio": composed})
    assert answer.status_code == 200, answer.text
    answer = installed.server.post("/api/generate", data=wanted, files={"audio": _without_tags(composed)})
    assert error_of(answer) == (422, "InvalidRequest", "commercial_safe")
    assert "whether the uploaded recording may be used commercially is not known" in answer.text


def _without_tags(content: bytes) -> bytes:
    samples, rate = soundfile.read(io.BytesIO(content))
    plain = io.BytesIO()
    soundfile.write(plain, samples, rate, format="WAV")
    return plain.getvalue()
