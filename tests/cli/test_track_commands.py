"""The prompt log from the command line: what was made is found, marked, made again to the byte, and varied."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from forked_python import run_command

PROMPT = "calm piano with rain"


class Home:
    """A user's folder and their log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"TUNESMITH_DATA_DIR": str(self.folder / "data"), "PYTHONUTF8": "1", **environment}
        done = run_command(self.folder, *arguments, environment=settings)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def said(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tracks(self, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.said("log", "--json", *arguments))
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home where two bumpers and a loop have been made; tests leave these as they are."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.said(PROMPT, "--duration", "2", "--seed", "5", "-n", "2", "-o", "bumper.flac")
    home.said("happy ukulele", "--duration", "2", "--seed", "9", "-o", "u.mp3")
    return home


def test_everything_made_is_in_the_log_newest_first(home: Home) -> None:
    tracks = [track for track in home.tracks() if track["parent"] is None]
    assert [(track["prompt"], track["seed"]) for track in tracks] == [("happy ukulele", 9), (PROMPT, 6), (PROMPT, 5)]
    assert [Path(track["path"]).name for track in tracks] == ["u.mp3", "bumper-2.flac", "bumper.flac"]
    assert {track["file"] for track in tracks} == {"here"}


def test_a_piece_is_found_by_a_word_of_its_prompt(home: Home) -> None:
    assert {track["prompt"] for track in home.tracks("--search", "RAIN")} == {PROMPT}


def test_the_best_one_is_starred_rated_tagged_and_found_again(home: Home) -> None:
    best = home.tracks("--search", "rain")[-1]["id"]
    home.said("log", "star", best[:6])
    home.said("log", "rate", best, "5")
    home.said("log", "tag", best, "intro")
    (found,) = home.tracks("--starred", "--tag", "intro")
    assert (found["id"], found["rating"], found["tags"]) == (best, 5, ["intro"])
    assert home.said("log", "path", best).strip() == found["path"]


@pytest.mark.parametrize("name", ["u.mp3", None], ids=["from the file", "from the log"])
def test_again_gives_the_same_bytes(home: Home, name: str | None, tmp_path: Path) -> None:
    piece = name or home.tracks("--search", "ukulele")[-1]["id"]
    done = home.run("again", piece, "-o", str(tmp_path / "again.mp3"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "again.mp3").read_bytes() == (home.folder / "u.mp3").read_bytes()


def test_again_says_where_the_bytes_differ(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "u.mp3"
    copy.write_bytes((home.folder / "u.mp3").read_bytes() + b"\0")
    done = home.run("again", str(copy), "-o", str(tmp_path / "again.mp3"))
    assert done.returncode == 0
    assert "not the same bytes as the original" in done.stderr


def test_variations_have_other_seeds_and_know_their_parent(home: Home) -> None:
    parent = home.tracks("--search", "ukulele")[-1]["id"]
    made = json.loads(home.said("vary", parent, "-n", "2", "-o", "v.wav", "--json"))
    assert [piece["seed"] for piece in made] == [10, 11]
    children = [track for track in home.tracks("--search", "ukulele") if track["id"] in {one["id"] for one in made}]
    assert {track["parent"] for track in children} == {parent}


def test_variations_never_repeat_what_was_made_before(tmp_path: Path) -> None:
    home = Home(tmp_path)
    asked = ("happy ukulele", "--duration", "1")
    home.said(*asked, "--seed", "9", "-n", "3", "-o", "u.wav")
    first = next(track for track in home.tracks() if track["seed"] == 9)
    home.said("happy ukulele", "--duration", "2", "--seed", "12")  # another request, so its seed is free
    for piece in (first["id"], "u.wav"):
        home.said("vary", piece, "-n", "2", "-o", "v.wav")
    seeds = sorted(track["seed"] for track in home.tracks() if track["duration"] == 1)
    assert seeds == [9, 10, 11, 12, 13, 14, 15]


def test_marks_are_told(home: Home) -> None:
    track = home.tracks("--search", "ukulele")[-1]["id"]
    assert home.said("log", "star", track) == f"{track}: ★: happy ukulele\n"
    assert home.said("log", "rate", track, "4") == f"{track}: ★ 4/5: happy ukulele\n"
    assert home.said("log", "rate", track, "0") == f"{track}: ★: happy ukulele\n"
    assert home.said("log", "star", track, "--off") == f"{track}: no marks: happy ukulele\n"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_log_is_exported_whole(home: Home, form: str) -> None:
    text = home.said("log", "--export", form, "-n", "1")
    rows = list(csv.DictReader(io.StringIO(text))) if form == "csv" else [json.loads(row) for row in text.splitlines()]
    assert {row["prompt"] for row in rows} == {PROMPT, "happy ukulele"}


def test_a_file_that_is_gone_is_shown_as_such_and_a_forgotten_track_too(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.said("drums", "--duration", "1", "-o", "d.wav")
    (tmp_path / "d.wav").unlink()
    (track,) = home.tracks()
    assert track["file"] == "moved or deleted"
    gone = home.run("log", "path", track["id"])
    assert (gone.returncode, gone.stderr.count("\n")) == (2, 1)
    home.said("log", "rm", track["id"])
    assert home.tracks() == []
    assert home.run("log", "show", track["id"]).returncode == 2


def test_a_log_that_cannot_be_written_costs_no_music(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tunesmith.db").write_bytes(b"not a database at all" * 100)
    done = Home(tmp_path).run("drums", "--duration", "1", "-o", "d.wav")
    assert done.returncode == 0
    assert (tmp_path / "d.wav").stat().st_size > 1_000
    assert "warning: not added to the prompt log" in done.stderr
    assert (tmp_path / "data" / "tunesmith.db").read_bytes().startswith(b"not a database")


def test_nothing_is_remembered_where_the_settings_say_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.run("drums", "--duration", "1", "-o", "d.wav", TUNESMITH_PROMPT_LOG="false").returncode == 0
    assert not (tmp_path / "data" / "tunesmith.db").exists()
    assert "'d.wav': no track in the prompt log has this file" in home.run("log", "tree", "d.wav").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("log", "rate", "zzz", "9"), "rating: must be 1 to 5, or 0 for none, got 9"),
        (("log", "show", "zzz"), "track 'zzz': not in the prompt log"),
        (("log", "--export", "xml"), "export: must be csv or jsonl, got 'xml'"),
        (("log", "tree", "nothing.wav"), "cannot read nothing.wav: file not found"),
        (("again", "nothing.wav"), "cannot read nothing.wav: file not found"),
        (("again", "song.yaml", "happier"), "file: song.yaml is a score, not a sound file or a track"),
        (("vary", "song.mid"), "file: song.mid is a score"),
        (("log", "tree", "song.yaml"), "file: song.yaml is a score"),
        (("play", "song.yaml"), "file: song.yaml is a score"),
        (("play", "nothing.wav"), "cannot read nothing.wav: file not found"),
    ],
)
def test_mistakes_are_one_line(home: Home, arguments: tuple[str, ...], said: str) -> None:
    done = home.run(*arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_change_is_shown_before_and_after_and_its_track_knows_its_parent(home: Home, tmp_path: Path) -> None:
    parent = home.tracks("--search", "ukulele")[-1]["id"]
    shown = home.run("again", parent, "slower, no drums, glitter", "-o", str(tmp_path / "slow.wav"))
    lines = shown.stderr.splitlines()
    assert any(line.startswith("tempo ") and "because of 'slower'" in line for line in lines)
    assert "warning: not understood: 'glitter'" in lines
    assert lines[-1].startswith("now: ")
    child = home.tracks("--search", "ukulele", "-n", "1")[0]
    assert (child["parent"], child["request"]["without"]) == (parent, ["drums"])
    drawn = home.said("log", "tree", child["id"]).splitlines()
    assert home.said("log", "tree", str(tmp_path / "slow.wav")).splitlines() == drawn
    assert drawn[0].startswith(f"{parent}  happy ukulele")
    assert [line for line in drawn if f"{child['id']} *" in line and "without drums" in line]


def test_what_would_be_understood_is_shown_without_music(home: Home) -> None:
    told = json.loads(home.said("vary", "u.mp3", "happier", "--key", "D major", "--explain", "--json"))
    assert [(one["field"], one["source"]) for one in told["changes"]] == [("mood", "words"), ("key", "setting")]
    kept = json.loads(home.said("vary", "u.mp3", "--lock", "melody", "--explain", "--json"))
    assert [(one["field"], one["after"].partition("=")[0]) for one in kept["changes"]] == [("lock", "melody")]
    refused = home.run("again", "u.mp3", "glitter")
    assert (refused.returncode, refused.stderr) == (
        2, "tunesmith: error: words: change nothing: not understood: 'glitter'\n",
    )  # fmt: skip


def test_a_changed_track_keeps_its_edits_and_has_the_edited_one_as_its_parent(home: Home) -> None:
    home.said("trim", "u.mp3", "--start", "0:01", "-o", "short.wav")
    home.said("again", "short.wav", "no drums", "-o", "changed.wav")
    changed, edited = home.tracks("--search", "ukulele", "-n", "2")
    assert (changed["parent"], changed["generated_by"], changed["duration"]) == (edited["id"], "trim", 1.0)
    assert changed["request"]["without"] == ["drums"]
