"""``tunesmith explain`` shows what a prompt was read as, and what of it was not used or not understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tunesmith
from tunesmith.cli import run
from tunesmith.composer.arrangement import arrangement_of
from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.score_file import dump_score

PROMPT = "спокойная музыка для сна, 114"
WARNINGS = (
    "prompt: few of its words are known; matched by meaning to ",
    "prompt: '114' is not used; write '114 bpm' for a tempo or '114 seconds' for a length",
)


def test_the_warnings_are_shown_beside_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", PROMPT]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith(f"warning: {text}") for line, text in zip(lines, WARNINGS, strict=True)] == [True, True]


def test_the_warnings_are_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", PROMPT, "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    warnings = explained["warnings"]
    assert [warning.startswith(text) for warning, text in zip(warnings, WARNINGS, strict=True)] == [True, True]
    sections, parts = explained["arrangement"]["sections"], explained["arrangement"]["parts"]
    assert all(len(section["chords"]) == section["bars"] for section in sections)
    assert all(len(part["bars_played"]) == len(sections) for part in parts)


def test_the_seed_is_said_and_generate_makes_what_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "calm piano", "--duration", "4", "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    made = tunesmith.compose("calm piano", duration=4, seed=explained["seed"]).score
    assert {one["field"]: one["value"] for one in explained["reasons"]}["key"] == str(made.key)
    assert explained["tempo_bpm"] == made.tempo_bpm
    assert explained["arrangement"] == json.loads(json.dumps(arrangement_of(made).as_json()))
    rows = table(["explain", "calm piano", "--duration", "4"], capsys)
    assert rows["seed"][0] == "0"
    assert "--seed 0" in rows["seed"][2]
    assert table(["explain", "calm piano", "--seed", "9"], capsys)["seed"][:2] == ["9", "flag"]
    # Words, not numbers.
    assert rows["mood"][0] == "Balanced, calm"
    # The tempo that is played, which the length has moved.
    assert rows["tempo"][0] == f"{made.tempo_bpm:g} bpm"
    assert "moved from" in rows["tempo"][2]


def table(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    assert run(words) == 0
    return {row.split("\t")[0]: row.split("\t")[1:] for row in capsys.readouterr().out.split("\n\n")[0].splitlines()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    piece = tunesmith.compose("jazz trio", seed=3, duration=4)
    (folder / "jazz.yaml").write_text(dump_score(piece.score), encoding="utf-8")
    write_midi(piece.score, folder / "jazz.mid")
    piece.mix().save(folder / "jazz.wav")
    return folder


@pytest.mark.parametrize("name", ["jazz.wav", "jazz.yaml"])
def test_a_sound_file_and_a_score_file_are_explained(made: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(["explain", str(made / name)], capsys)
    assert (rows["prompt"][0], rows["seed"][0]) == ("jazz trio", "3")
    score = tunesmith.compose("jazz trio", seed=3, duration=4).score
    assert rows["key"][0] == str(score.key)
    assert run(["explain", str(made / name), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [part["name"] for part in told["arrangement"]["parts"]] == [part.name for part in score.parts]


def test_a_midi_file_is_explained_and_has_no_prompt(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(["explain", str(made / "jazz.mid")], capsys)
    score = tunesmith.compose("jazz trio", seed=3, duration=4).score
    assert (rows["tempo"][0], rows["meter"][0]) == (f"{score.tempo_bpm:g} bpm", str(score.meter))
    assert not {"prompt", "genre"} & set(rows)


@pytest.mark.parametrize(("words", "problem"), [
    (["lost.wav"], "lost.wav"), (["lost.yaml"], "lost.yaml"), (["lost.mid"], "lost.mid"),
    (["{}/jazz.wav", "--seed", "3"], "seed: is that of"),
])  # fmt: skip
def test_what_cannot_be_explained_is_refused(
    made: Path, words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *(word.replace("{}", str(made)) for word in words)]) != 0
    assert problem in capsys.readouterr().err


def test_a_word_like_an_id_is_read_as_a_prompt_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    assert run(["explain", "chiptune88"]) == 0
    assert "there is no track chiptune88" in capsys.readouterr().err


def test_the_arrangement_has_a_row_a_section_and_a_row_a_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "a.png"
    assert run(["explain", "jazz trio, 120 bpm", "--duration", "20", "--plot", str(picture)]) == 0
    reasons, sections, parts = capsys.readouterr().out.rstrip().split("\n\n")
    assert "120" in reasons
    count = len(sections.splitlines())
    for row in parts.splitlines():
        _, _, *marks = row.split("\t")
        assert len(marks) == count
        assert set(marks) <= {"●", "◐", "·"}
    assert picture.stat().st_size > 10_000
