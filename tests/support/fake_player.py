"""A player program on PATH that keeps what it gets, instead of sounding it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

KEEPING = """#!{python}
import sys
with open({heard!r}, "wb") as file:
    while chunk := sys.stdin.buffer.read1(65536):
        file.write(chunk)
        file.flush()
{ending}
"""
PLAYERS = ("ffplay", "mpv", "aplay", "play", "paplay", "afplay", "powershell")


def fake_player(folder: Path, patch: pytest.MonkeyPatch, *, ending: str = "", script: str = KEEPING) -> Path:
    """Make ``ffplay`` a program that keeps its input; return the path of what it gets."""
    heard, program = folder / "heard.wav", folder / "bin" / "ffplay"
    program.parent.mkdir()
    program.write_text(script.format(python=sys.executable, heard=str(heard), ending=ending), encoding="utf-8")
    program.chmod(0o755)
    patch.setenv("PATH", str(program.parent))
    return heard
