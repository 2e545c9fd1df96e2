"""The README's commands and code run as they are written."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkpoints import copy_musicgen
from forked_python import run_program, run_python
from hub_server import hub_server
from listening_to import heard
from magenta_checkpoint import HUB_ID, write_magenta_tree
from magenta_vectors import has_magenta_vectors
from stable_audio_files import write_optimized
from started_server import StartedServer, started

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks_marked_tested(language: str, how: str = "tested") -> list[str]:
    return re.findall(rf"<!-- {how} -->\n```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [line for block in blocks_marked_tested("sh") for line in block.splitlines()]
HUB_COMMANDS = [line for block in blocks_marked_tested("sh", "tested with a hub") for line in block.splitlines()]


def run(arguments: list[str], folder: Path, **variables: str) -> str:
    done = run_python(arguments, folder, {"PYTHONUTF8": "1", **variables}, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def run_all(commands: list[str], folder: Path, **variables: str) -> None:
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "tunesmith"
        run(["-m", "tunesmith", *arguments], folder, **variables)
        for flag, value in itertools.pairwise(arguments):
            if flag in ("-o", "--midi", "--score", "--stems"):
                assert (folder / value).exists(), command


def test_the_readme_commands_work_one_after_another(tmp_path: Path) -> None:
    run_all(COMMANDS, tmp_path)


def test_from_pull_to_a_neural_file_as_the_readme_says(tmp_path: Path) -> None:
    copy_musicgen(tmp_path / "tiny")
    with hub_server() as hub:
        hub.share("facebook/musicgen-small", tmp_path / "tiny")
        hub.share("stabilityai/stable-audio-3-optimized", write_optimized(tmp_path / "stable-audio"))
        variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache"), "TUNESMITH_THREADS": "1"}
        commands = [command for command in HUB_COMMANDS if "magenta" not in command]
        run_all(commands, tmp_path, TUNESMITH_DATA_DIR=str(tmp_path / "data"), **variables)


@has_magenta_vectors
def test_from_pull_to_a_stream_in_a_file_as_the_readme_says(tmp_path: Path) -> None:
    with hub_server() as hub:
        hub.share(HUB_ID, write_magenta_tree(tmp_path / "tiny"), licence="cc-by-4.0")
        variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache"), "TUNESMITH_THREADS": "1"}
        commands = [command for command in HUB_COMMANDS if "magenta" in command]
        assert len(commands) == 3
        run_all(commands, tmp_path, TUNESMITH_DATA_DIR=str(tmp_path / "data"), **variables)


@pytest.mark.parametrize("code", blocks_marked_tested("python"))
def test_the_readme_code_works(code: str, tmp_path: Path) -> None:
    assert "44100" in run(["-c", code], tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    with started(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.mark.parametrize("language", ["sh", "python", "js"])
def test_from_a_running_server_to_files_as_the_readme_says(
    server: StartedServer, language: str, tmp_path: Path
) -> None:
    if language == "js" and shutil.which("node") is None and "CI" not in os.environ:
        pytest.skip("node is not installed")
    block = rf"<!-- tested with a server: ([^>]*) -->\n```{language}\n(.*?)```"
    [(names, code)] = re.findall(block, README, flags=re.DOTALL)
    program = {"sh": ["bash", "-euc"], "python": [sys.executable, "-c"], "js": ["node", "--input-type=module", "-e"]}
    ran = run_program([*program[language], code.replace("http://127.0.0.1:8765", server.url)], tmp_path, text=True)
    assert ran.returncode == 0, ran.stderr
    for name in names.split():
        assert not heard((tmp_path / name).read_bytes()).is_silent


def test_there_is_something_to_test() -> None:
    assert len(COMMANDS) > 5
    assert len(HUB_COMMANDS) > 6
    assert blocks_marked_tested("python")
