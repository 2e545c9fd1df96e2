"""The command line, run as a user runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from forked_python import run_command

from tunesmith.audio.reader import read_audio, read_metadata

TWO_SECONDS = ("--duration", "2", "--seed", "7")


def tunesmith(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    source = str(Path(__file__).parents[2] / "src")
    settings = {
        "PYTHONPATH": source,
        "TUNESMITH_CONFIG": str(folder / "config.toml"),
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "200",
    }
    return run_command(folder, *arguments, environment={**settings, **(environment or {})})


@pytest.mark.parametrize(("arguments", "words"), [
    (("",), "prompt: must not be empty"),
    (("!!!",), "prompt: must contain words"),
    (("x" * 2001,), "prompt: must be at most 2000 characters, got 2001"),
    (("a\x07b",), "prompt: must not contain control characters, got U.0007"),
    (("x", "--duration", "0"), "duration: .* 1, got '0'"),
    (("x", "--duration", "-3"), "duration: "),
    (("x", "--duration", "nan"), "duration: .*'nan'"),
    (("x", "--duration", "31:00"), "duration: .* 1800, got '31:00'"),
    (("x", "--bpm", "fast"), "tempo_bpm: .*'fast'"),
    (("x", "--seed", "-2"), "seed: must be at least -1, got '-2'"),
    (("x", "--bars", "0"), "bars: .*'0'"),
    (("x", "--intensity", "1.5"), "intensity: .*'1.5'"),
    (("x", "--layers", "0.2,high"), "layers: .*0 to 1"),
    (("x", "--hit", "soon"), "hit: "),
    (("x", "--sample-rate", "1234"), "sample_rate: .*1234"),
    (("x", "--loudness", "3"), "loudness_lufs: .*'3'"),
    (("x", "--form", "opera"), "form: .*'opera'"),
    (("x", "--loop", "--form", "bed"), "loop: cannot be combined with form 'bed'"),
    (("x", "--instruments", "piano", "--without", "Piano"), "without: 'piano' is also in instruments"),
    (("x", "--model", "composr"), "model: there is no model called 'composr'; did you mean composer"),
    (("x", "-o", "a.xyz"), r"output: the suffix must be one of \.wav"),
    (("x", "-o", "none/a.wav"), "output: cannot write .*there is no folder"),
    (("x", "--midi", "none/a.mid"), "midi: cannot write .*there is no folder"),
    (("x", "--plot", "a.svg"), "plot: must end in .png, got 'a.svg'"),
    (("explain", "x", "--plot", "none/a.png"), "plot: cannot write .*there is no folder"),
    (("x", "-o", "a.wav", "--score", "a.wav"), "output: .*must be different files"),
    (("render", "none.yaml", "-o", "a.wav", "--sample-rate", "0"), "sample_rate: .*0"),
    (("x", "-n", "0"), "variations: must be greater than or equal to 1, got '0'"),
    (("x", "--variations=0"), "variations: must be greater than or equal to 1, got '0'"),
    (("log", "-n", "many"), "limit: must be a valid integer, got 'many'"),
    (("log", "--limit"), "'--limit' requires an argument"),
    (("x", "--audio", "a.wav"), "audio: needs --continue"),
    (("x", "--continue"), "continue: needs a recording.*--audio FILE"),
    (("x", "--audio", "a.wav", "--continue"), "audio: only neural models support it"),
    (("x", "--strength", "0.5"), "strength: needs a recording.*--audio FILE"),
    (("x", "--repaint", "4-8"), "repaint: needs a recording.*--audio FILE"),
    (("x", "--audio", "a.wav", "--strength", "0.5", "--repaint", "4-8"), "repaint: cannot go with --strength"),
    (("x", "--audio", "a.wav", "--strength", "2"), "strength: must be at most 1, got '2'"),
    (("x", "--audio", "a.wav", "--strength", "much"), "strength: must be a number from 0 to 1, or one of redress"),
    (("x", "--audio", "a.wav", "--repaint", "8-4"), "repaint: must be regions that end after their start, got 8-4"),
    (("x", "--audio", "a.wav", "--strength", "redress"), "audio: only neural models support it"),
    (("x", "--steps", "8"), "steps: only neural models support it"),
    (("x", "--steps", "0"), "steps: must be at least 1, got '0'"),
    (("x", "--ending", "soon"), "ending: must be 'natural', 'cut', 'big', 'soft' or 'fade', got 'soon'"),
    (("x", "--melody", "a.wav"), "melody: only neural models support it"),
    (("x", "--negative-prompt", "drums"), "negative_prompt: only neural models support it"),
    (("x", "--guidance", "3"), "guidance_scale: only neural models support it"),
    (("x", "--guidance", "0.5"), "guidance_scale: must be at least 1, got '0.5'"),
    (("x", "--temperature", "-1"), "temperature: .*'-1'"),
    (("x", "--temperature", "1"), "temperature: only neural models support it"),
    (("x", "--top-k", "1"), "top_k: only neural models support it"),
    (("x", "--top-k", "1.5"), "top_k: must be a whole number, got '1.5'"),
    (("x", "--top-p", "2"), "top_p: .*'2'"),
    (("x", "--tempo", "900"), "tempo_bpm: .*'900'"),
    (("x", "--zzz", "90"), "no such option: --zzz"),
    (("-calm piano",), "after --"),
    (("a\udcffb",), "prompt: must be text in UTF-8"),
    (("x", "y"), "y"),
    (("render", "none.yaml", "-o", "a.wav"), "score: cannot read none.yaml"),
])  # fmt: skip
def test_bad_input_is_one_line_with_exit_code_2_and_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...],
    words: str,
) -> None:  # fmt: skip
    from tunesmith.cli import run

    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert re.search(f"^tunesmith: error: .*{words}", shown.err)
    assert not list(tmp_path.iterdir())


def test_bad_input_says_the_same_to_a_shell(tmp_path: Path) -> None:
    done = tunesmith(tmp_path, "x", "--duration", "0")
    assert done.returncode == 2
    assert done.stderr.decode().startswith("tunesmith: error: duration:")


def test_help_and_version_are_fast_enough_to_ask_for(tmp_path: Path) -> None:
    code = "import sys; from tunesmith.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Exit codes" in done.stdout
    assert not {"numpy", "scipy", "soundfile", "pydantic"} & set(done.stderr.split())
    assert tunesmith(tmp_path, "--version").stdout.startswith(b"tunesmith 0.")


def test_no_arguments_show_the_help(tmp_path: Path) -> None:
    assert b"COMMAND" in tunesmith(tmp_path).stdout


def test_genres_and_instruments_are_listed(tmp_path: Path) -> None:
    assert b"lofi" in tunesmith(tmp_path, "genres").stdout
    assert any(row["name"] == "piano" for row in json.loads(tunesmith(tmp_path, "instruments", "--json").stdout))


def test_explain_shows_the_tempo_and_why(tmp_path: Path) -> None:
    done = tunesmith(tmp_path, "explain", "calm piano, 70 bpm", "--json")
    assert any("70" in reason["value"] for reason in json.loads(done.stdout)["reasons"])


def test_a_prompt_alone_makes_a_file_named_after_it_and_never_overwrites(tmp_path: Path) -> None:
    for name in ("calm-piano-7.wav", "calm-piano-7-2.wav"):
        done = tunesmith(tmp_path, "Calm piano!", *TWO_SECONDS)
        assert done.returncode == 0, done.stderr
        assert name in done.stdout.decode()
        assert b"seed 7" in done.stdout
        assert done.stderr == b""
        assert read_audio(tmp_path / name).duration == 2.0
    first, second = tmp_path / "calm-piano-7.wav", tmp_path / "calm-piano-7-2.wav"
    assert first.read_bytes() == second.read_bytes()
    assert read_metadata(first)["seed"] == 7


def test_standard_output_carries_nothing_but_the_sound(tmp_path: Path) -> None:
    done = tunesmith(tmp_path, "calm piano", *TWO_SECONDS, "-o", "-")
    (tmp_path / "a.wav").write_bytes(done.stdout)
    assert read_audio(tmp_path / "a.wav").duration == 2.0


def test_everything_at_once_is_reported_as_json(tmp_path: Path) -> None:
    done = tunesmith(
        tmp_path, "calm piano", *TWO_SECONDS, "-o", "a.flac", "--stems", "stems", "--midi", "a.mid", "--score",
        "a.yaml", "--layers", "0.2,1", "--plot", "a.png", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["seed"] == 7
    assert all((tmp_path / file).stat().st_size for file in made["files"])
    assert {"a.flac", "a-intensity-20.flac", "a-layers.json", "a.mid", "a.yaml", "a.png"} <= set(made["files"])
    again = tunesmith(tmp_path, "render", "a.yaml", "-o", "b.flac", "--plot", "b.png")
    assert again.returncode == 0, again.stderr
    assert read_audio(tmp_path / "b.flac").duration == 2.0
    assert (tmp_path / "b.png").stat().st_size > 10_000


def test_variations_have_seeds_that_follow_each_other(tmp_path: Path) -> None:
    done = tunesmith(tmp_path, "calm piano", *TWO_SECONDS, "-n", "2", "-o", "a.ogg", "--json")
    made = json.loads(done.stdout)
    assert [(one["seed"], one["files"]) for one in made] == [(7, ["a.ogg"]), (8, ["a-2.ogg"])]


def test_the_settings_are_used_where_no_flag_is_given(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('sample_rate = 22050\nsuffix = ".flac"\n', encoding="utf-8")
    tunesmith(tmp_path, "calm piano", *TWO_SECONDS)
    assert read_audio(tmp_path / "calm-piano-7.flac").sample_rate == 22050
    broken = tunesmith(tmp_path, "x", environment={"TUNESMITH_SAMPLE_RATE": "7"})
    assert broken.returncode == 2
    assert b"setting sample_rate" in broken.stderr
