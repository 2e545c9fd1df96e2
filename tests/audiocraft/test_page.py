"""The examples of docs/audiocraft.md run as they are written."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import soundfile
from doc_pages import blocks_of, read_page

from tunesmith.cli import insert_default_command, run

PAGE = read_page("docs/audiocraft.md")


@pytest.mark.usefixtures("_in_data_dir")
def test_the_programs_and_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (program,) = blocks_of(PAGE, "python")
    exec(program.code, {})
    lengths = [soundfile.info(tmp_path / f"music-{number}.wav").duration for number in range(3)]
    assert lengths == [5.0] * 3
    (commands,) = blocks_of(PAGE, "sh")
    for line in commands.code.splitlines():
        assert run(insert_default_command(shlex.split(line)[1:])) == 0
    assert soundfile.info(tmp_path / "dog.wav").duration == 2.0
