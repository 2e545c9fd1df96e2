"""``generate -n N --pick`` and ``vary --pick`` as a user runs them: all ranked, the best marked, reasons shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.audio.reader import read_metadata
from tunesmith.cli import run

ASKED = ["calm piano loop in D minor, 80 bpm", "--loop", "--bars", "4", "--seed", "1"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, with a log of their own."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tracks(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["log", "--json", *arguments]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_variations_are_ranked_with_their_reasons_and_the_best_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ASKED, "-n", "3", "--pick", "--sheet", "a.png", "-o", "a.wav"]) == 0
    assert Path("a.png").stat().st_size > 30_000
    table = [line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line]
    assert [row[0] for row in table] == ["1", "2", "3"]
    assert {row[3] for row in table} == {"a.wav", "a-2.wav", "a-3.wav"}
    scores = [float(row[1]) for row in table]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3
    for row in table:
        for words in ("(target 80", "(target D minor)", "LUFS", "loop", "no clipping"):
            assert words in row[4]
    found = tracks(capsys)
    (best,) = [track for track in found if track["tags"] == ["picked"]]
    assert (Path(best["path"]).name, best["parent"]) == (table[0][3], None)
    assert [track["parent"] for track in found if track is not best] == [best["id"]] * 2
    assert sorted(track["metadata"]["picking"]["rank"] for track in found) == [1, 2, 3]
    assert {track["file"] for track in found} == {"here"}


def test_with_keep_best_the_others_go_and_it_has_the_name_that_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([*ASKED, "-n", "3", "--pick", "--keep", "best", "-o", "a.flac", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    (best,) = [one for one in made if one["files"]]
    assert (best["files"], best["metadata"]["picking"]["rank"]) == (["a.flac"], 1)
    assert [file.name for file in Path().glob("*.flac")] == ["a.flac"]
    assert read_metadata("a.flac")["seed"] == best["seed"]
    found = {track["id"]: track for track in tracks(capsys)}
    assert [found[one["id"]]["file"] for one in made] == ["here" if one is best else "moved or deleted" for one in made]


def test_variations_of_a_track_are_picked_from_and_remain_its(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calm piano", "--duration", "2", "--seed", "1", "-o", "a.wav", "--json"]) == 0
    parent = json.loads(capsys.readouterr().out)["id"]
    assert run(["vary", parent, "-n", "2", "--pick", "--keep", "best"]) == 0
    assert "not kept" in capsys.readouterr().out
    assert [(track["parent"], track["tags"]) for track in tracks(capsys, "--tag", "picked")] == [(parent, ["picked"])]
    assert [track["parent"] for track in tracks(capsys)] == [parent, parent, None]


def test_without_a_prompt_log_they_are_ranked_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_PROMPT_LOG", "false")
    assert run(["calm piano", "--duration", "1", "-n", "2", "--pick"]) == 0
    assert [line[0] for line in capsys.readouterr().out.splitlines() if "\t" in line] == ["1", "2"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["--pick"], "pick: needs at least two variations, such as -n 5"),
    (["-n", "2", "--keep", "best"], "keep: needs --pick"),
    (["-n", "2", "--sheet", "a.png"], "sheet: needs --pick"),
    (["-n", "2", "--pick", "--sheet", "a.jpg"], "sheet: must end in .png, got 'a.jpg'"),
    (["-n", "2", "--pick", "--keep", "some"], "keep: must be all or best, got 'some'"),
    (["-n", "2", "--pick", "--keep", "best", "--midi", "a.mid"], "keep: must be all with stems, MIDI"),
])  # fmt: skip
def test_where_there_is_nothing_to_pick_nothing_is_made(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["calm piano", "--duration", "1", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not list(Path().glob("*.wav"))
