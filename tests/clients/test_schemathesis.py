"""Schemathesis asks for everything in the OpenAPI document, as it is described and otherwise; nothing is a 5xx."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from budgets import REQUESTS
from hub_server import hub_server
from openapi_fuzz import Fuzz
from replicate_calls import COMPOSER, replicate_at
from serving import Serving, serving

PARTS = 4
AT_ONCE = {"model": "prompt"}
SHORT = {"input.duration": 1}
CHEAP: Mapping[str, Mapping[str, Any]] = {
    "/api/generate": AT_ONCE, "/api/jobs": AT_ONCE, "/v1/audio/speech": AT_ONCE, "/": AT_ONCE, "/predict": AT_ONCE,
    "/v1/music": {"model_id": "prompt"}, "/v1/music/stream": {"model_id": "prompt"},
    "/v1/sound-generation": {"model_id": "prompt"}, "/v1/predictions": {**SHORT, "version": COMPOSER},
    "/v1/models/{owner}/{name}/predictions": SHORT, "/v1/deployments/{owner}/{name}/predictions": SHORT,
    "/v1/models/{owner}/{name}/versions/{version}/predictions": SHORT,
}  # fmt: skip
# No made-up text is regions of a sound.
NO_REGIONS = {"repaint": None}
PROMPT, INPUTS = (
    {"prompt": "calm piano", **NO_REGIONS},
    {"inputs": "calm piano", "parameters.repaint": None, **NO_REGIONS},
)
PREDICTED = {"input.prompt": "calm piano", "input.input_audio": None, "webhook": None, "webhook_events_filter": None}
LIKELY: Mapping[str, Mapping[str, Any]] = {
    "/api/generate": PROMPT, "/api/jobs": PROMPT, "/api/explain": {"prompt": "calm piano"},
    "/api/tracks/{track_id}/variations": {"prompt": "slower, no drums", "explain": True},
    "/v1/audio/speech": {"input": "calm piano", **NO_REGIONS},
    "/v1/music": {**PROMPT, "composition_plan": None}, "/v1/music/stream": {**PROMPT, "composition_plan": None},
    "/v1/sound-generation": {"text": "calm piano", **NO_REGIONS},
    "/": INPUTS, "/predict": INPUTS, "/models/{model}": INPUTS,
    "/hf-inference/models/{model}": INPUTS, "/pipeline/{task}/{model}": INPUTS, "/v1/predictions": PREDICTED,
    "/v1/models/{owner}/{name}/predictions": PREDICTED, "/v1/deployments/{owner}/{name}/predictions": PREDICTED,
    "/v1/models/{owner}/{name}/versions/{version}/predictions": PREDICTED,
}  # fmt: skip


TAKES_NONE = {
    "POST /api/models/pull": "the hub has no models",
    "DELETE /api/models/{name}": "no model is installed",
    "POST /api/edits": "a made-up source is no sound",
    "GET /v1/outputs/{job_id}/{signature}/{name}": "the signature is that of a stream",
}
"""Operations that can take nothing that is made up, and why."""

TRACE = "Traceback (most recent call last)"
"""Longer than the words of this file that Hypothesis puts into requests, and so into the log."""


@pytest.fixture(scope="module")
def its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give a server whose hub has no models, because it may be asked to pull and to remove them."""
    folder = tmp_path_factory.mktemp("server-to-fuzz")
    with hub_server() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        with serving(folder, composer_processes="1") as one:
            yield one


def known(server: Serving) -> dict[str, str]:
    """Make one of everything that has an id."""
    with replicate_at(server.url) as client:
        prediction = client.models.predictions.create(COMPOSER, input={"prompt": "calm piano", "duration": 1})
        prediction.wait()
        file = client.files.create(Path(__file__))
        version = client.models.get(COMPOSER).versions.list()[0].id
    (track,) = requests.get(f"{server.url}/api/tracks?limit=1", timeout=60).json()["tracks"]
    *_, signature = str((prediction.urls or {})["stream"]).split("/")
    owner, name = COMPOSER.split("/")
    return {
        "job_id": prediction.id, "prediction_id": prediction.id, "file_id": file.id, "track_id": track["id"],
        "signature": signature, "owner": owner, "name": name, "version": version, "version_id": version,
        "model": "prompt", "task": "text-to-audio",
    }  # fmt: skip


@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_is_a_fault_of_the_server(its_own: Serving, part: int) -> None:
    fuzz = Fuzz(its_own.url, known(its_own), CHEAP, LIKELY)
    operations = sorted(fuzz.operations(), key=lambda one: str(one.method) == "delete")[part::PARTS]
    assert operations
    found = [fault for operation in operations for fault in fuzz.faults(operation, REQUESTS)]
    assert not found, "\n\n".join(found)
    assert fuzz.refused_throughout() <= set(TAKES_NONE)
    assert TRACE not in its_own.process.log
