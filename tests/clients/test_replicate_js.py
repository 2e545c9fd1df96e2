"""Replicate's JavaScript client, unmodified but for its base URL; `npm ci` in tests/clients/js installs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from jobs_in_memory import MADE, FakeService, serving
from replicate_server import app_of, settings_in

SCRIPTS = Path(__file__).parent / "js"

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (SCRIPTS / "node_modules" / "replicate").is_dir(), reason="npm ci was not run"
)


def test_the_javascript_client_gets_what_it_gets_from_replicate(tmp_path: Path) -> None:
    service = FakeService(tmp_path)
    service.finish_at_once = True
    with serving(app_of(service, settings_in(tmp_path))) as url:
        ran = subprocess.run(
            ["node", str(SCRIPTS / "replicate.js"), url], capture_output=True, text=True, timeout=60, check=False
        )
    assert ran.returncode == 0, ran.stderr
    got = json.loads(ran.stdout)
    assert got.pop("models")[0] == "meta/musicgen"
    assert "prompt is required" in got["badInput"].pop("message")
    assert got == {
        "bytes": len(MADE), "lastStatus": "succeeded", "canceled": True, "listed": 3,
        "file": {"size": 5, "metadata": {"take": 1}}, "streamed": ["logs", "output", "done"], "secret": True,
        "badInput": {"status": 422}, "badToken": 401,
    }  # fmt: skip
