"""``tunesmith explain`` shows what a prompt was read as, and what of it was not used or not understood."""

from __future__ import annotations

import json

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
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert [warning.startswith(text) for warning, text in zip(warnings, WARNINGS, strict=True)] == [True, True]
