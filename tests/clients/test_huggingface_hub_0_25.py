"""huggingface_hub 0.25.2, of which many programs say that they need it; it runs in a process of its own.

``make test`` installs it beside the virtual environment's own version, under ``clients``.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from listening_to import Heard, heard
from serving import Serving

PACKAGE = Path(sys.prefix) / "clients" / "huggingface_hub-0.25.2"
SCRIPT = Path(__file__).parent / "huggingface_hub_0_25.py"

pytestmark = pytest.mark.skipif(
    not PACKAGE.is_dir() and "CI" not in os.environ, reason="make test installs huggingface_hub 0.25.2"
)


def sound(told: dict[str, Any]) -> Heard:
    assert "sound" in told, told
    return heard(base64.b64decode(told["sound"]))


def test_the_older_client_gets_music_and_errors_as_it_expects_them(
    server: Serving, server_with_tokens: Serving, musicgen_server: Serving
) -> None:
    urls = [server.url, server_with_tokens.url, musicgen_server.url, server_with_tokens.token(quota="1/day")]
    elsewhere = {"HF_ENDPOINT": server.url, "HF_INFERENCE_ENDPOINT": server.url, "HF_TOKEN": "hf_any"}
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), *urls], env={**os.environ, **elsewhere, "PYTHONPATH": str(PACKAGE)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    got = json.loads(ran.stdout)
    assert got["version"] == "0.25.2"
    assert sound(got["speech"]) == Heard("WAV", 32_000, 1, 10.0, sound(got["speech"]).peak)
    assert not sound(got["speech"]).is_silent
    assert sound(got["post"]).seconds == sound(got["cold"]).seconds == sound(got["within quota"]).seconds == 2.0
    assert got["raw"] == got["post"]
    assert sound(got["by environment"]).seconds == 10.0
    assert got["recommended"] == got["post"]
    assert got["task"] == "text-to-audio"
    statuses = {case: told["status"] for case, told in got.items() if "status" in told}
    assert statuses == {"bad input": 422, "unknown": 404, "bad token": 401, "over quota": 429, "failure": 500}
    assert all(set(json.loads(got[case]["text"])) <= {"error", "error_type"} for case in statuses)
