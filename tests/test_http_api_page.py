"""docs/http-api.md as a reader would follow it, against a really started server."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import mido
import pytest
from listening_to import heard
from started_server import StartedServer, started

from tunesmith.audio.formats import FORMATS
from tunesmith.generator import EXPORTS
from tunesmith.jobs.job import JobState
from tunesmith.request import GenerationRequest
from tunesmith.server.dialects.own.order import NOT_FOR_CALLERS

PAGE = (Path(__file__).parents[1] / "docs" / "http-api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    with started(tmp_path_factory.mktemp("data")) as server:
        yield server


def shown(server: StartedServer, folder: Path, mark: str = "tested") -> str:
    """Run every block of a mark, one after another, and return what they print."""
    blocks = re.findall(rf"<!-- {mark} -->\n```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    assert blocks
    script = "set -euo pipefail\n" + "\n".join(blocks).replace(ADDRESS, server.url)
    ran = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_page_works_from_top_to_bottom(server: StartedServer, tmp_path: Path) -> None:
    said = shown(server, tmp_path)
    assert heard((tmp_path / "lofi.wav").read_bytes()).seconds == 10.0
    assert heard((tmp_path / "piano.mp3").read_bytes()).format == "MP3"
    assert heard((tmp_path / "musicgen.wav").read_bytes()).sample_rate == 32_000
    assert mido.MidiFile(tmp_path / "piano.mid").tracks
    assert len(zipfile.ZipFile(tmp_path / "stems.zip").namelist()) > 1
    for sign in ("event: done", '"state":"succeeded"', '"rating":5', '"parent":', '"reasons":', '"status":"succeeded"'):
        assert sign in said.replace(": ", ":").replace("event:", "event: ").replace("event:  ", "event: "), sign


def test_the_error_is_the_one_shown(server: StartedServer, tmp_path: Path) -> None:
    told = re.search(r'^\{"error".*$', PAGE, flags=re.MULTILINE)
    assert told
    assert json.loads(shown(server, tmp_path, "tested: 422")) == json.loads(told[0])


def test_every_path_of_ours_and_no_other_is_described(server: StartedServer) -> None:
    with urlopen(f"{server.url}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    ours = {
        f"{method.upper()} {path}"
        for path, methods in paths.items() for method in methods if path.startswith(("/api/", "/health", "/metrics"))
    }  # fmt: skip
    described = set(re.findall(r"`((?:GET|POST|PATCH|DELETE) /(?:api|health|metrics)[^`]*)`", PAGE))
    assert described | {"POST /api/generate"} == ours


def test_every_field_format_and_state_is_described() -> None:
    table = PAGE.split("### What can be asked for")[1].split("## Jobs")[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert set(GenerationRequest.model_fields) - set(NOT_FOR_CALLERS) <= named
    assert {suffix[1:] for suffix in FORMATS} | set(EXPORTS) <= named
    assert {f"`{state.value}`" for state in JobState} <= set(re.findall(r"`\w+`", PAGE))
