"""docs/hosted-models.md: its examples run, with a started server in the services' place, and print what it shows."""

from __future__ import annotations

import sys
from pathlib import Path

from doc_pages import USUAL_ADDRESS, Block, agrees, blocks_of, read_page, run_code, run_shell
from listening_to import heard
from started_server import started

from tunesmith.config import Settings
from tunesmith.hosted.connection import TOKEN_VARIABLES

PAGE = read_page("docs/hosted-models.md")
SECONDS = {"one.wav": 6, "two.wav": 6, "three.wav": 6, "four.wav": 6, "five.wav": 6, "long.wav": 40}


def test_every_example_runs_and_prints_what_the_page_shows(tmp_path: Path) -> None:
    examples = blocks_of(PAGE, "sh")
    (python,) = blocks_of(PAGE, "python")
    (tmp_path / "work").mkdir()
    variables = {"TUNESMITH_DATA_DIR": str(tmp_path / "own"), "HF_TOKEN": "hf_any", "REPLICATE_API_TOKEN": "r8_any"}
    with started(tmp_path / "server", composer_processes="1") as server:
        moved = [
            Block(one.marker, one.language, one.code.replace(USUAL_ADDRESS, server.url), one.shown) for one in examples
        ]
        printed = run_shell(moved, tmp_path / "work", **variables)
        services = {"HF_INFERENCE_ENDPOINT": server.url, "REPLICATE_BASE_URL": server.url}
        told = run_code([sys.executable, "-c", python.code], tmp_path / "work", **variables, **services)
    for example, text in zip(examples, printed, strict=True):
        assert example.shown is None or agrees(example.shown, text), text
    assert told.startswith("replicate:meta/musicgen ")
    made = {name: heard((tmp_path / "work" / name).read_bytes()) for name in SECONDS}
    assert {name: round(sound.seconds) for name, sound in made.items()} == SECONDS
    assert not any(sound.is_silent for sound in made.values())
    assert not (tmp_path / "work" / "six.wav").exists()


def test_the_page_names_every_variable_and_setting() -> None:
    variables = [name for names in TOKEN_VARIABLES.values() for name in names]
    settings = [name for name in Settings.model_fields if name.startswith(("hf_", "replicate_token", "hosted_"))]
    for name in [*variables, *settings, "max_calls"]:
        assert f"`{name}`" in PAGE or f"{name.upper()}=" in PAGE, name
