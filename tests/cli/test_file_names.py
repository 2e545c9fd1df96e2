"""Names of files that are not UTF-8, as old archives and other systems have them: every command takes them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import strange_generators

from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.cli import run
from tunesmith.errors import ModelFileError
from tunesmith.models.pull_request import PullRequest, locate
from tunesmith.musicgen.model_folder import read_architecture

FOLDER, NAME = os.fsdecode(b"caf\xe9"), os.fsdecode(b"m\xfcsik")
SONG = f"{NAME}.wav"
Capture = pytest.CaptureFixture[bytes]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with such a name and a piece in it that is in the prompt log."""
    root = tmp_path_factory.mktemp("home")
    folder = root / FOLDER
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this system has no such names")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNESMITH_DATA_DIR", str(root / os.fsdecode(b"d\xe9ta")))
        patch.chdir(folder)
        assert run(["calm piano", "--duration", "2", "--seed", "7", "-o", SONG, "--score", f"{NAME}.yaml", "-q"]) == 0
    (folder / f"{NAME}.txt").write_text("one\n")
    return folder


@pytest.fixture(autouse=True)
def inside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(home.parent / os.fsdecode(b"d\xe9ta")))
    monkeypatch.chdir(home)


@pytest.fixture
def shown(capfdbinary: Capture) -> Callable[..., bytes]:
    """Run a command that must end well, and return the bytes it prints."""

    def run_it(*arguments: str) -> bytes:
        code = run(arguments)
        out, error = capfdbinary.readouterr()
        assert code == 0, error
        return out

    return run_it


@pytest.mark.parametrize("command", [
    ("calm piano", "--duration", "1", "-o", "{}.flac", "--midi", "{}.mid", "--stems", "{}-stems", "--layers", "0.5"),
    ("render", f"{NAME}.yaml", "-o", "{}.wav"), ("again", SONG, "-o", "{}.ogg"),
    ("vary", SONG, "-n", "1", "-o", "{}.wav"), ("convert", SONG, "-o", "{}.mp3"),
    ("convert", SONG, "-o", "{}.opus"), ("trim", SONG, "--start", "0.5", "-o", "{}.wav"),
    ("fade", SONG, "--in", "0.5", "-o", "{}.wav"), ("normalize", SONG, "-o", "{}.wav"), ("loop", SONG, "-o", "{}.wav"),
    ("fit", SONG, "--duration", "3", "-o", "{}.wav"), ("stitch", SONG, SONG, "--crossfade", "0.5", "-o", "{}.wav"),
], ids=lambda command: " ".join(command[:1]))  # fmt: skip
def test_a_file_is_read_and_written_under_such_a_name(
    home: Path, shown: Callable[..., bytes], command: tuple[str, ...]
) -> None:
    written = os.fsdecode(b"\xff-" + command[0].encode())
    out = shown(*(part.replace("{}", written) for part in command))
    (file,) = (path for path in home.iterdir() if path.name.startswith(f"{written}.") and path.suffix not in (".mid",))
    assert os.fsencode(file.name) in out
    assert read_audio(file).duration > 0
    file.unlink()


def test_what_a_file_says_is_shown_and_drawn(home: Path, shown: Callable[..., bytes]) -> None:
    for command in (("info", SONG), ("show", SONG)):
        assert json.loads(shown(*command, "--json"))["file"] == SONG
        assert os.fsencode(SONG) in shown(*command)
    shown("info", SONG, "--plot", f"{NAME}.png")
    assert (home / f"{NAME}.png").stat().st_size > 10_000


def test_the_source_of_an_edit_is_named_as_text(home: Path, shown: Callable[..., bytes]) -> None:
    shown("trim", SONG, "--start", "0.5", "-o", "shorter.flac")
    (step,) = read_metadata(home / "shorter.flac")["edits"]
    assert step["source"]["name"] == "file:m%FCsik.wav"


def test_the_prompt_log_knows_the_file(home: Path, shown: Callable[..., bytes]) -> None:
    track = next(track for track in json.loads(shown("log", "--json")) if track["path"].endswith(SONG))
    assert (track["path"], track["file"]) == (str(home / SONG), "here")
    assert shown("log", "path", track["id"]).strip() == os.fsencode(home / SONG)
    assert os.fsencode(SONG) in shown("log")


def test_a_batch_is_made_from_and_into_such_names(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Callable[..., bytes]
) -> None:
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    command = ("batch", f"{NAME}.txt", "--model", "prompt", "--jobs", "1")
    assert b"1 generated, 0 already done, 0 failed: " + os.fsencode(NAME) in shown(*command)
    assert shown(*command).startswith(b"0 generated, 1 already done")
    assert (home / NAME / "001-one.wav").is_file()


def test_a_sound_bank_under_such_a_name_is_played_and_found_again(home: Path, shown: Callable[..., bytes]) -> None:
    bank = next((Path(__file__).parents[2] / "src" / "tunesmith" / "composer" / "sounds").glob("*.sf3"))
    (home / f"{NAME}.sf3").symlink_to(bank)
    shown("calm piano", "--duration", "1", "--soundfont", str(home / f"{NAME}.sf3"), "-o", "bank.wav", "--seed", "7")
    assert read_metadata(home / "bank.wav")["request"]["soundfont"].endswith("/caf%E9/m%FCsik.sf3")
    shown("again", "bank.wav", "-o", "bank-again.wav")
    assert (home / "bank.wav").read_bytes() == (home / "bank-again.wav").read_bytes()


def test_models_need_a_data_folder_in_utf_8_and_say_so_first(home: Path, capfdbinary: Capture) -> None:
    assert run(["pull", str(home), "--name", "tune"]) == 2
    out, error = capfdbinary.readouterr()
    assert out == b""
    assert error.startswith(b"tunesmith: error: setting data_dir: must be UTF-8 to store models, got ")
    with pytest.raises(ModelFileError, match="the name of its folder must be UTF-8"):
        read_architecture(home)


def test_the_folder_a_model_came_from_is_kept_as_text(home: Path) -> None:
    assert locate(PullRequest(str(home), name="tune")).location.endswith("/caf%E9")


def test_a_name_that_steers_a_terminal_is_shown_harmlessly(capfdbinary: Capture) -> None:
    assert run(["info", "a\x1b[31m\nb\x9b2J.wav"]) == 2
    assert capfdbinary.readouterr().err == b"tunesmith: error: cannot read a?[31m b?2J.wav: file not found\n"


@pytest.mark.parametrize("arguments", [
    ("log", "--tag", os.fsdecode(b"\xff")), ("ps", "--url", os.fsdecode(b"\xff")), ("pull", os.fsdecode(b"\xff/x")),
    ("show", "x" * 5_000), ("render", "x/" * 2_500, "-o", "a.wav"), ("calm", "--soundfont", "x" * 5_000),
    ("calm", "--genre", os.fsdecode(b"\xff")), ("token", "create", "--name", os.fsdecode(b"\xff")),
    ("log", "show", os.fsdecode(b"\xff")), (os.fsdecode(b"\xff"),), ("explain", os.fsdecode(b"\xff")),
], ids=ascii)  # fmt: skip
def test_text_that_is_no_text_or_endless_is_one_line(arguments: tuple[str, ...], capfdbinary: Capture) -> None:
    assert run(arguments) == 2
    out, error = capfdbinary.readouterr()
    assert out == b""
    assert len(error.splitlines()) == 1
    assert len(error) < 1_100
