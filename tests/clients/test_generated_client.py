"""A client generated from our OpenAPI document by openapi-python-client: it makes music and reads JSON, bytes, errors.

``make test`` installs the generator beside the virtual environment, under ``clients``, because it pins older packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests
from listening_to import heard
from serving import Serving

GENERATOR = Path(sys.prefix) / "clients" / "openapi-python-client-0.29.1"
PACKAGE = "tunesmith_generated"
SETTINGS = f"""
package_name_override: {PACKAGE}
post_hooks: []
content_type_overrides:
  audio/*: application/octet-stream
  application/zip: application/octet-stream
"""

pytestmark = pytest.mark.skipif(
    not GENERATOR.is_dir() and "CI" not in os.environ, reason="make test installs openapi-python-client"
)


@pytest.fixture(scope="module")
def generated(server: Serving, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Generate the client into a folder that Python imports from; return the name of its package."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "settings.yaml").write_text(SETTINGS)
    (folder / "openapi.json").write_bytes(requests.get(f"{server.url}/openapi.json", timeout=60).content)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json",
               "--config", "settings.yaml", "--output-path", "client"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(GENERATOR), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "will not be generated" not in done.stdout, done.stdout
    sys.path.insert(0, str(folder / "client"))
    return PACKAGE


def operation(package: str, tag: str, name: str) -> Any:
    return import_module(f"{package}.api.{tag}.{name}")


def test_a_generated_client_makes_music(generated: str, server: Serving) -> None:
    models: Any = import_module(f"{generated}.models")
    wanted = models.MusicRequest(prompt="calm piano", duration=2.0, seed=7, bars=None)
    with import_module(generated).Client(base_url=server.url) as client:
        sound = operation(generated, "tunesmith", "generate").sync(client=client, body=wanted)
        assert heard(sound.payload.read()).seconds == 2.0
        job = operation(generated, "tunesmith", "create_job").sync(client=client, body=wanted)
        assert (job.prompt, job.state.value in ("queued", "loading", "running", "succeeded")) == ("calm piano", True)
        done = operation(generated, "tunesmith", "get_job").sync(job.id, client=client, wait=60.0)
        assert (done.state.value, done.result.duration) == ("succeeded", 2.0)
        audio = operation(generated, "tunesmith", "get_job_audio").sync(job.id, client=client)
        sound.payload.seek(0)
        assert audio.payload.read() == sound.payload.read()
        refused = operation(generated, "tunesmith", "generate").sync(
            client=client, body=models.MusicRequest(prompt="calm piano", genre="lofy")
        )
        assert (refused.error.field, type(refused)) == ("genre", models.ErrorDocument)


def test_it_speaks_the_other_languages(generated: str, server: Serving) -> None:
    models: Any = import_module(f"{generated}.models")
    with import_module(generated).AuthenticatedClient(base_url=server.url, token="any") as client:
        body = models.PredictionRequest(input_=models.MusicInput(prompt="calm piano", duration=1))
        made = operation(generated, "replicate", "create_model_prediction").sync(
            "meta", "musicgen", client=client, body=body, prefer="wait"
        )
        assert (made.status.value, made.model) == ("succeeded", "meta/musicgen")
        inputs = models.Inputs.from_dict({"inputs": "calm piano", "parameters": {"duration": 1.0}})
        infer = operation(generated, "hugging_face", "infer").sync_detailed("composer", client=client, body=inputs)
        assert heard(infer.content).seconds == 1.0
        tracks = operation(generated, "tracks", "list_tracks").sync(client=client, limit=1)
        assert tracks.tracks[0].prompt == "calm piano"
