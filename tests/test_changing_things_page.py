"""docs/changing-things.md: its commands and its program run as written, and its words change what the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from doc_pages import blocks_of, read_page
from forked_python import run_command, run_program
from shell_commands import commands

from tunesmith.composer.changes import edit_request
from tunesmith.request import GenerationRequest

PAGE = read_page("docs/changing-things.md")
PLAIN = GenerationRequest.checked(prompt="calm lofi hip hop with piano, bass, guitar and drums", seed=3)


def test_the_commands_and_the_program_run_one_after_another(tmp_path: Path) -> None:
    environment = {"TUNESMITH_DATA_DIR": str(tmp_path / "data"), "PYTHONUTF8": "1"}
    shown = ""
    for block in blocks_of(PAGE, "sh"):
        for program, *arguments in commands(block.code):
            assert program == "tunesmith"
            done = run_command(tmp_path, *arguments, environment=environment)
            assert done.returncode == 0, done.stderr
            shown += done.stderr.decode()
    assert "without drums, mood bright, calm" in shown
    (block,) = blocks_of(PAGE, "python")
    printed = run_program([sys.executable, "-c", block.code], tmp_path, environment, encoding="utf-8")
    assert printed.returncode == 0, printed.stderr
    assert "bright" in printed.stdout
    assert "because of 'slower'" in printed.stdout


def table() -> list[str]:
    """Return the words of the table, one change each."""
    rows = PAGE.partition("| to change | words, among others |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [re.sub(r"\([^)]*\)", "", row.split("|")[2]).replace("*", "") for row in rows]
    return [
        words.strip()
        for cell in cells
        for words in re.split("[,;]", cell.replace("any mood of a prompt:", ""))
        if words.strip()
    ]


@pytest.mark.parametrize("words", table())
def test_every_word_of_the_table_is_understood(words: str) -> None:
    change = edit_request(PLAIN, words)
    assert not change.not_understood
    assert change.changes or "plays already" in str(change.notes) or "no rain" in str(change.notes), change
