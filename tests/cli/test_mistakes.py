"""Slips in the arguments: what was meant is said, or taken where it is certain, and no prompt is lost to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tunesmith.cli import COMMANDS, run
from tunesmith.cli.app import root_command
from tunesmith.cli.arguments import (
    COMMAND_WORDS,
    OPTION_ALIASES,
    command_mistake,
    meant_command,
    option_names,
    with_aliases,
)
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.request import GenerationRequest

ROOT = root_command()
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(("arguments", "words"), [
    ("genrate", r"did you mean generate\? To use the word as a prompt: tunesmith generate genrate"),
    ("GENERATE", r"did you mean generate\?"),
    ("explian", r"did you mean explain\?"),
    ("normalise", r"did you mean normalize\?"),
    ("help", r"did you mean --help\?"),
    ("ls", r"did you mean list\?"),
    ("pul musicgen-small", r'did you mean pull\? If it is a prompt, put it in quotes: tunesmith "pul musicgen-small"'),
    ("batc prompts.txt --jobs 3", r"did you mean batch\?"),
    ("calm piano for studying", r'put it in quotes: tunesmith "calm piano for studying"'),
    ("generate calm piano --loop", r'put it in quotes: tunesmith "calm piano"'),
    ("explain calm piano", r'put it in quotes: tunesmith explain "calm piano"'),
    ("piano --lenght 5", r"no such option: --lenght; did you mean --duration\?"),
    ("piano --instrumets=a", r"did you mean --instruments\?"),
    ("piano --format mp3", "the suffix of the file chooses the format"),
    ("piano --zzz", "no such option: --zzz; put a prompt that starts with - last, after --"),
    ("log --serch x", r"no such option: --serch; did you mean --search\?"),
    ("serve --prot 3", r"no such option: --prot; did you mean --port\?"),
    ("log shw", "Did you mean .show."),
])  # fmt: skip
def test_a_slip_is_one_line_that_says_what_was_meant(
    arguments: str, words: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments.split()) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert re.search(words, shown.err)
    assert not list(tmp_path.iterdir())


def test_a_prompt_in_quotes_behind_a_slip_is_no_unquoted_prompt() -> None:
    assert "in quotes" not in (command_mistake(["genrate", "calm piano"], COMMANDS) or "")


@pytest.mark.parametrize("command", [command for command in COMMANDS if len(command) > 3])
def test_every_slip_of_two_letters_swapped_is_seen(command: str) -> None:
    for place in range(len(command) - 1):
        slip = command[:place] + command[place + 1] + command[place] + command[place + 2 :]
        assert meant_command(slip, COMMANDS) is not None or slip == command


def test_no_word_of_music_is_taken_for_a_slip() -> None:
    words = {word for word in index()["phrases"] if word.isalpha() and word not in COMMANDS}
    assert len(words) > 1_000
    assert {word for word in words if command_mistake([word], COMMANDS)} <= set(COMMAND_WORDS)


@pytest.mark.parametrize("word", ["lofi", "bach", "concert", "slow", "--loop", "-q", "calm piano", "generate"])
def test_a_prompt_or_an_option_first_is_no_mistake(word: str) -> None:
    assert command_mistake([word], COMMANDS) is None


@pytest.mark.parametrize(("given", "meant"), [
    ("x --length 5", "x --duration 5"), ("x --tempo=90", "x --bpm=90"), ("x --tempo_bpm 90", "x --bpm 90"),
    ("x --out a.wav", "x --output a.wav"), ("x --lufs -14", "x --loudness -14"), ("x --style jazz", "x --genre jazz"),
    ("x -- --length", "x -- --length"), ("x --duration 5", "x --duration 5"),
])  # fmt: skip
def test_another_word_for_an_option_is_taken(given: str, meant: str) -> None:
    assert with_aliases(["generate", *given.split()], ROOT) == ["generate", *meant.split()]


def test_aliases_never_touch_a_command_s_own_options() -> None:
    assert with_aliases(["fade", "a.wav", "--out", "2"], ROOT) == ["fade", "a.wav", "--out", "2"]
    assert with_aliases(["batch", "a.csv", "--output", "x"], ROOT) == ["batch", "a.csv", "--out", "x"]
    assert with_aliases(["log", "--length", "5"], ROOT) == ["log", "--length", "5"]


def test_every_field_and_alias_of_a_request_is_an_option_of_generate() -> None:
    known = option_names(ROOT.commands["generate"])
    fields = {alias for alias, field in OPTION_ALIASES.items() if field in GenerationRequest.model_fields}
    fields = (fields | set(GenerationRequest.model_fields)) - {"prompt", "text", "description"}
    for field in fields:
        (option,) = with_aliases(["generate", f"--{field.replace('_', '-')}"], ROOT)[1:]
        assert option in known


def test_a_misspelt_variable_is_warned_of(monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_DURATON", "5")
    assert run(["calm", "--duration", "0"]) == 2
    warning, _ = capsys.readouterr().err.splitlines()
    assert warning == (
        "warning: TUNESMITH_DURATON is not a setting and has no effect; did you mean TUNESMITH_DURATION?"
    )
