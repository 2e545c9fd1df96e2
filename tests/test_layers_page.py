"""docs/layers.md: its command and its program run as written, and the manifest has the fields that the page lists."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from doc_pages import blocks_of, read_page
from forked_python import run_command, run_program
from shell_commands import commands

PAGE = read_page("docs/layers.md")


def test_the_command_writes_what_the_page_says(tmp_path: Path) -> None:
    environment = {"TUNESMITH_DATA_DIR": str(tmp_path / "data"), "PYTHONUTF8": "1"}
    ((program, *arguments),) = commands(blocks_of(PAGE, "sh")[0].code)
    assert program == "tunesmith"
    done = run_command(tmp_path, *arguments, environment=environment)
    assert done.returncode == 0, done.stderr
    listed = re.search(r"```\n(level.*)\n```", PAGE)
    assert listed is not None
    assert {path.name for path in tmp_path.glob("level*")} == set(listed[1].split())
    told = json.loads((tmp_path / "level-layers.json").read_text(encoding="utf-8"))
    fields = re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in table()))
    assert set(fields) <= set(told)
    assert set(told) - set(fields) <= {"title", "prompt", "seed"}
    assert all(names <= set(told["layers"][0]) for names in [{"intensity", "file", "loudness_lufs", "parts", "adds"}])


def table() -> list[str]:
    return PAGE.partition("| field | |")[2].partition("\n\n")[0].splitlines()[2:]


def test_the_program_runs(tmp_path: Path) -> None:
    (block,) = blocks_of(PAGE, "python")
    printed = run_program([sys.executable, "-c", block.code], tmp_path, {"PYTHONUTF8": "1"}, encoding="utf-8")
    assert printed.returncode == 0, printed.stderr
    assert len(printed.stdout.splitlines()) == len(list(tmp_path.glob("intensity-*.wav"))) == 3
