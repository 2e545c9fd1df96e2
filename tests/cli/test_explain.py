"""``tunesmith explain`` shows what a prompt was read as, and what of it was not used or not understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.cli import run

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
