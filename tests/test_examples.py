"""Every example runs as it is and leaves playable files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs_and_leaves_playable_files(example: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, example], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = list(tmp_path.iterdir())
    assert files
    assert all(soundfile.info(file).duration > 1 for file in files)
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 40
