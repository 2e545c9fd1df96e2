"""Node for the tests of JavaScript clients; a person without it has them skipped, CI has them fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_SECONDS = 300


def node_in(folder: Path) -> str:
    """Return the path of node, for a folder whose packages are installed; skips without either, but never in CI."""
    node = shutil.which("node")
    if node and (folder / "node_modules").is_dir():
        return node
    missing = "node is not installed" if node is None else f"npm ci was not run in {folder}"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}; make test does that where there is npm")
    pytest.skip(missing)


def run_node(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run node in a folder and return what came of it; its scripts find the Python of the tests in PYTHON."""
    environment = {**os.environ, "PYTHON": sys.executable, "NO_COLOR": "1"}
    return subprocess.run(
        [node_in(folder), *arguments], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
