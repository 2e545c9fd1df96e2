"""A server's callers and hosted models: only those it opens, in every list, and with the upstream's refusals told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from hosted_services import Answer, HostedService, audio_answer, hosted_service, json_answer
from listening_to import heard
from started_server import StartedServer, started

OPEN = "hf:facebook/musicgen-small"
TOKEN = "hf_of_whoever_runs_the_server"


@dataclass(frozen=True)
class Front:
    """A server that calls a service."""

    server: StartedServer
    service: HostedService

    def ask(self, model: str, **wishes: object) -> httpx.Response:
        body = {"prompt": "lofi", "model": model, "duration": 2, **wishes}
        return httpx.post(f"{self.server.url}/api/generate", json=body, timeout=60)

    def get(self, path: str) -> dict[str, list[dict[str, object]]]:
        document: dict[str, list[dict[str, object]]] = httpx.get(self.server.url + path, timeout=30).json()
        return document


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = {"hosted_models": f"{OPEN}, replicate:meta/*", "hosted_seconds": "20", "hf_token": TOKEN}
    with hosted_service() as service:
        settings |= {"hf_base_url": service.url, "replicate_base_url": service.url}
        with started(tmp_path_factory.mktemp("front"), composer_processes="1", **settings) as server:
            yield Front(server, service)


def test_a_model_that_is_open_makes_music_with_the_owner_s_token(front: Front) -> None:
    front.service.answers = [audio_answer(2)]
    answer = front.ask(OPEN)
    assert answer.status_code == 200, answer.text
    assert heard(answer.content).seconds == 2
    assert answer.headers["x-tunesmith-model"] == OPEN
    assert answer.headers["x-tunesmith-license"] == "cc-by-nc-4.0"
    assert front.service.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in answer.text + str(answer.headers) + "".join(front.server.log)


def test_the_hugging_face_dialect_takes_one_too(front: Front) -> None:
    front.service.answers = [audio_answer(30)]
    answer = httpx.post(f"{front.server.url}/models/{OPEN}", json={"inputs": "lofi"}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert not heard(answer.content).is_silent


@pytest.mark.parametrize("model", [
    "hf:stabilityai/stable-audio-open-1.0", "replicate:someone/music", "hf:http://169.254.169.254/latest/meta-data",
])  # fmt: skip
def test_any_other_is_refused_and_nothing_is_called(front: Front, model: str) -> None:
    before = len(front.service.asked)
    answer = front.ask(model)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "model"
    assert "is not allowed on this server" in answer.json()["error"]["message"]
    assert len(front.service.asked) == before


@pytest.mark.parametrize(("answered", "status", "words"), [
    (json_answer({"error": "Invalid credentials"}, 401), 502, "rejects the token"),
    (json_answer({"error": "You have exceeded your credits"}, 402), 502, "requires payment"),
    (json_answer({"error": "Rate limit reached"}, 429, Retry_After="77"), 503, "Rate limit reached"),
    (Answer(200, b"no sound", {"Content-Type": "audio/wav"}), 502, "the response is not audio"),
])  # fmt: skip
def test_what_the_service_refuses_is_not_the_caller_s_fault(
    front: Front, answered: Answer, status: int, words: str
) -> None:
    front.service.answers = [answered]
    answer = front.ask(OPEN)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert TOKEN not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_the_lists_show_what_is_open_by_name(front: Front) -> None:
    (shown,) = [one for one in front.get("/api/models")["models"] if one["kind"] == "hosted"]
    assert (shown["name"], shown["licence"], shown["commercial_use"]) == (OPEN, "cc-by-nc-4.0", False)
    assert OPEN in [one["id"] for one in front.get("/v1/models")["data"]]
