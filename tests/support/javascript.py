"""Node for the tests of JavaScript clients; a person without it has them skipped, CI has them fail."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from listening_to import Heard, heard

PATIENCE_SECONDS = 300
CLIENTS = Path(__file__).parents[1] / "clients" / "js"
"""Where the scripts are that use other people's clients."""


def node_in(folder: Path) -> str:
    """Return the path of node, for a folder whose packages are installed; skips without either, but never in CI."""
    node = shutil.which("node")
    if node and (folder / "node_modules").is_dir():
        return node
    missing = "node is not installed" if node is None else f"npm ci was not run in {folder}"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}; make test does that where there is npm")
    pytest.skip(missing)


def node_alone() -> str:
    """Return the path of node, for scripts that need no packages; skips without it, but never in CI."""
    node = shutil.which("node")
    if node is None and os.environ.get("CI"):
        pytest.fail("node is not installed")
    return node or pytest.skip("node is not installed")


def run_node(folder: Path, *arguments: str, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run node in a folder, with ``given`` to read, and return what came of it; PYTHON names that of the tests."""
    environment = {**os.environ, "PYTHON": sys.executable, "NO_COLOR": "1", **variables}
    return subprocess.run(
        [node_in(folder), *arguments], cwd=folder, env=environment, input=given, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip


def told_by(script: str, case: str, **given: Any) -> Any:
    """Return what a case of a script in CLIENTS gives, as plain JSON values."""
    ran = run_node(CLIENTS, script, case, given=json.dumps(given))
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def heard_in(told: Any) -> Heard:
    """Return what a sound is that a case has given."""
    assert "audio" in told, told
    return heard(base64.b64decode(told["audio"]))
