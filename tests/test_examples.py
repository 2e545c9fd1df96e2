"""Every example runs as it is and leaves playable files."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from doc_pages import ROOT, USUAL_ADDRESS, run_code
from javascript import node_alone
from listening_to import heard
from started_server import StartedServer, started

FOLDER = ROOT / "examples"
EXAMPLES = sorted(path for path in FOLDER.rglob("*.*") if path.suffix != ".pyc")
ALONE = {"game_level": [], "meditation_hour": ["0.5"], "podcast_bumpers": [], "youtube_bed": ["15"]}
"""The examples that need no server, and what they are told here so that they take less time."""

NOT_IN_PYTHON = {"page.html", "layers.js", "layered_music.gd", "LayeredMusic.cs"}

LAYERS_IN_NODE = Path(__file__).parent / "support" / "layers_in_node.mjs"
IN_NODE = Path(__file__).parent / "support" / "page_in_node.mjs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    with started(tmp_path_factory.mktemp("data"), composer_processes="1") as one:
        yield one


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_example_is_short(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 40


def made_by(example: str, folder: Path) -> tuple[str, dict[str, float]]:
    """Run an example; return what it printed, and the length of each file it left."""
    printed = run_code([sys.executable, str(FOLDER / f"{example}.py"), *ALONE[example]], folder)
    return printed, {path.name: soundfile.info(path).duration for path in sorted(folder.iterdir())}


def test_a_game_level_is_one_loop_at_three_energies(tmp_path: Path) -> None:
    _, seconds = made_by("game_level", tmp_path)
    assert list(seconds) == ["level-alert.ogg", "level-explore.ogg", "level-fight.ogg"]
    assert len(set(seconds.values())) == 1


def test_a_meditation_is_as_long_as_it_was_asked_to_be(tmp_path: Path) -> None:
    _, seconds = made_by("meditation_hour", tmp_path)
    assert seconds == {"meditation.ogg": pytest.approx(30, abs=3)}


def test_one_of_five_bumpers_is_picked(tmp_path: Path) -> None:
    printed, seconds = made_by("podcast_bumpers", tmp_path)
    assert len(seconds) == 5
    assert "bumper-picked.flac" in seconds
    assert printed.count("rank 1,") == 1


def test_a_bed_is_as_long_as_the_video(tmp_path: Path) -> None:
    _, seconds = made_by("youtube_bed", tmp_path)
    assert seconds == {"youtube-bed.wav": 15.0}


def test_every_example_is_run_here() -> None:
    # Those for AudioCraft are run in tests/audiocraft.
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {
        f"{name}.py" for name in ALONE
    } | NOT_IN_PYTHON | {"discord_bot.py"}


def test_layers_are_crossfaded_in_sync_in_the_browser(tmp_path: Path) -> None:
    node = node_alone()
    layers = [{"intensity": level, "file": f"{level}.wav"} for level in (0.3, 0.6, 1.0)]
    for layer in layers:
        (tmp_path / str(layer["file"])).write_bytes(b"a sound")
    told = {"loop": {"start": 0, "end": 88_200}, "sample_rate": 44_100, "layers": layers}
    (tmp_path / "level-layers.json").write_text(json.dumps(told), encoding="utf-8")
    script = [node, str(LAYERS_IN_NODE), (FOLDER / "layers.js").as_uri(), (tmp_path / "level-layers.json").as_uri()]
    heard_of = json.loads(run_code(script, tmp_path))
    assert heard_of["sources"] == [{"buffer": 7, "loop": True, "loopStart": 0, "loopEnd": 2, "at": 2.1}] * 3
    gains = list(zip(*heard_of["gains"], strict=True))
    assert gains == [(1, 0, 0), (1, 0, 0), (0.5, 0.5, 0), (0, 1, 0), (0, 0.25, 0.75), (0, 0, 1), (0, 0, 1)]


def test_the_bot_answers_once_without_discord(server: StartedServer, tmp_path: Path) -> None:
    bot = [sys.executable, str(FOLDER / "discord_bot.py"), "--once"]
    said = run_code([*bot, "calm piano"], tmp_path, TUNESMITH_URL=server.url)
    [made] = tmp_path.iterdir()
    assert said.strip().endswith(made.name)
    assert heard(made.read_bytes()).format == "MP3"
    assert run_code([*bot, "!!"], tmp_path, TUNESMITH_URL=server.url).startswith("No music: ")


def shown_by_the_page(url: str, **values: str) -> Any:
    """Submit the page's form with values and return what it says and plays."""
    [script] = re.findall(
        r'<script type="module">\n(.*?)</script>', (FOLDER / "page.html").read_text(encoding="utf-8"), re.DOTALL
    )
    ran = subprocess.run(
        [node_alone(), str(IN_NODE), json.dumps(values)], input=script.replace(USUAL_ADDRESS, url), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_the_page_plays_what_was_asked_for(server: StartedServer) -> None:
    shown = shown_by_the_page(server.url, prompt="calm piano", seconds="4")
    assert shown["said"].startswith("Made by composer, seed ")
    assert heard(base64.b64decode(shown["sound"])).seconds == pytest.approx(4, abs=0.1)


def test_the_page_says_what_is_wrong(server: StartedServer) -> None:
    assert shown_by_the_page(server.url, prompt="calm piano", seconds="0") == {
        "said": "duration: must be at least 1, got 0", "sound": None,
    }  # fmt: skip


def test_every_element_that_the_page_uses_is_in_it() -> None:
    page = (FOLDER / "page.html").read_text(encoding="utf-8")
    [named] = re.findall(r"= \[([^]]*)\]\.map", page)
    assert set(re.findall(r'"(\w+)"', named)) == set(re.findall(r' id="(\w+)"', page))
