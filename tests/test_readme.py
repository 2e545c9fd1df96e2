"""The README's commands and code run as they are written."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks_marked_tested(language: str) -> list[str]:
    return re.findall(rf"<!-- tested -->\n```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [line for block in blocks_marked_tested("sh") for line in block.splitlines()]


def run(arguments: list[str], folder: Path) -> str:
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_commands_work_one_after_another(tmp_path: Path) -> None:
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "tunesmith"
        run(["-m", "tunesmith", *arguments], tmp_path)
        for flag, value in itertools.pairwise(arguments):
            if flag in ("-o", "--midi", "--score", "--stems"):
                assert (tmp_path / value).exists(), command


@pytest.mark.parametrize("code", blocks_marked_tested("python"))
def test_the_readme_code_works(code: str, tmp_path: Path) -> None:
    assert "44100" in run(["-c", code], tmp_path)


def test_there_is_something_to_test() -> None:
    assert len(COMMANDS) > 5
    assert blocks_marked_tested("python")
