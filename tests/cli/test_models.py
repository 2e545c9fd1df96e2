"""The commands of the model store, and what is said of models that are not there."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import gated_entry
import numpy as np
import pytest
from checkpoints import copy_musicgen
from hub_server import HubServer, hub_server
from stand_ins import CopyingConverter, install, write_stand_in

from tunesmith.audio import Audio
from tunesmith.audio.writer import write_audio
from tunesmith.cli import run
from tunesmith.models.hub import Hub
from tunesmith.models.pull import PullTools
from tunesmith.models.store import Store

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.chdir(tmp_path)
    return Store(tmp_path / "data")


def said(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def pulled(hub: HubServer, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own: huggingface_hub reads its settings when it is imported."""
    root = Path(__file__).parents[2]
    settings = {"PYTHONPATH": str(root / "src"), "HF_ENDPOINT": hub.url, "HF_HOME": str(home)}
    command = [sys.executable, "-m", "tunesmith", "pull", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **settings}, check=False)


@pytest.mark.usefixtures("store")
def test_a_model_is_pulled_listed_and_removed(capsys: Capture, tmp_path: Path) -> None:
    copy_musicgen(tmp_path / "tune")
    with hub_server() as hub:
        hub.share("org/tune", tmp_path / "tune", licence="cc-by-nc-4.0")
        first, again, missing = (pulled(hub, tmp_path / "hf", *arguments) for arguments in (
            ("org/tune", "--name", "mine", "--quantize", "int4"),
            ("org/tune", "--name", "mine", "--quantize", "int4"),
            ("org/tun",),
        ))  # fmt: skip
    lines = first.stdout.splitlines()
    assert (first.returncode, first.stderr) == (0, "")
    assert lines[0] == "mine from org/tune at c0ffeec0ffee"
    assert lines[1] == "  licence: cc-by-nc-4.0 (commercial use: no)"
    assert " to download, about " in lines[2]
    assert lines[3].startswith("mine installed ")
    assert again.stdout.startswith("mine is already installed: ")
    assert missing.returncode == 1
    assert missing.stderr.startswith("tunesmith: error: cannot download org/tun: repository not found")
    assert said(capsys, "list")[1].split("\t")[0] == "mine"
    assert said(capsys, "rm", "mine")[0] == 0
    assert said(capsys, "list")[1] == ""


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("command", ["pull", "show", "rm"])
@pytest.mark.parametrize("name", ["../x", "a/../../b", "/nowhere", "C:\\x", "a\0b", "a" * 5_000, "~nobody/x", "\udcff"])
def test_an_odd_name_is_refused_in_one_line(command: str, name: str, capsys: Capture) -> None:
    code, out, error = said(capsys, command, name)
    assert (code, out) == (2, "")
    assert len(error.splitlines()) == 1
    assert len(error) < 500


def test_an_empty_store_says_what_to_do(store: Store, capsys: Capture) -> None:
    code, out, error = said(capsys, "list")
    assert (code, out) == (0, "")
    assert "tunesmith list --available" in error
    assert said(capsys, "list", "--json")[1] == "[]\n"
    assert not store.folder.exists()


def test_installed_models_are_listed(store: Store, capsys: Capture) -> None:
    install(store, "mine")
    install(store, "theirs", licence="cc-by-nc-4.0")
    install(store, "nobody-s", licence="unknown")
    lines = said(capsys, "list")[1].splitlines()
    assert [line.split("\t")[0] for line in lines] == ["mine", "nobody-s", "theirs"]
    assert lines[0].split("\t")[2:] == ["int8", "mit", "yes"]
    assert lines[2].split("\t")[2:] == ["int8", "cc-by-nc-4.0", "no"]
    safe = json.loads(said(capsys, "list", "--commercial-safe", "--json")[1])
    assert [(model["name"], model["commercial_use"]) for model in safe] == [("mine", True)]


def test_what_can_be_pulled_is_listed(store: Store, capsys: Capture) -> None:
    install(store, "musicgen-small")
    models = json.loads(said(capsys, "list", "--available", "--json")[1])
    assert {model["name"] for model in models if model["installed"]} == {"musicgen-small"}
    assert "musicgen-stereo-melody-large" in said(capsys, "list", "--available")[1]
    safe = json.loads(said(capsys, "list", "--available", "--commercial-safe", "--json")[1])
    assert [model["name"] for model in safe] == ["magenta-rt2-small"]


def test_a_model_is_shown(store: Store, capsys: Capture) -> None:
    model = install(store, "mine")
    _, out, _ = said(capsys, "show", "mine")
    shown = dict(line.split("\t") for line in out.splitlines())
    assert shown["architecture"] == "musicgen: 2 layers of 128, 2 heads, 4 codebooks, 32000 Hz mono"
    assert shown["parameters"] == "420 M (decoder)"
    assert shown["licence"] == "mit (commercial use: yes)"
    assert shown["source"] == "org/x at c0ffeec0ffee"
    assert shown["digest"] == f"sha256:{model.manifest.digest}"
    values = json.loads(said(capsys, "show", "mine", "--json", "--verify")[1])
    assert (values["quantization"], values["verified"], values["folder"]) == ("int8", True, str(model.folder))


def test_a_corrupted_file_is_found(store: Store, capsys: Capture) -> None:
    model = install(store, "mine")
    assert said(capsys, "show", "mine", "--verify")[0] == 0
    (model.folder / "decoder").write_bytes(b"Weights")
    code, _, error = said(capsys, "show", "mine", "--verify")
    assert code == 2
    assert "decoder: has changed since installation: its SHA-256 differs; install it again: " in error
    assert said(capsys, "x", "--model", "mine") == (code, "", error)


def test_models_are_removed(store: Store, capsys: Capture) -> None:
    install(store, "one")
    install(store, "two")
    assert said(capsys, "rm", "one", "two")[:2] == (0, "removed one\nremoved two\n")
    assert store.models() == ()
    code, _, error = said(capsys, "rm", "one")
    assert (code, error) == (2, "tunesmith: error: installed model: there is no installed model called 'one'\n")


@pytest.mark.parametrize("name", ["musicgen-small", "facebook/musicgen-small", "meta/musicgen"])
def test_a_model_that_is_not_installed_comes_with_its_command(store: Store, capsys: Capture, name: str) -> None:
    code, _, error = said(capsys, "calm piano", "--model", name)
    assert code == 2
    assert error == (
        "tunesmith: error: musicgen-small is not installed; install it with: tunesmith pull musicgen-small\n"
    )
    assert not store.folder.exists()


@pytest.mark.parametrize(("name", "nearest"), [("musicgen-larg", "musicgen-large"), ("mine-to", "mine-too")])
def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(
    store: Store, capsys: Capture, name: str, nearest: str
) -> None:
    install(store, "mine-too")
    error = said(capsys, "x", "--model", name)[2]
    assert f"there is no model called '{name}'; did you mean {nearest}" in error


def test_commercial_safe_refuses_what_its_licence_does_not_allow(
    store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(store, "theirs", licence="cc-by-nc-4.0")
    install(store, "nobody-s", licence="unknown")
    refused = "theirs may not be used commercially: cc-by-nc-4.0"
    assert refused in said(capsys, "x", "--model", "theirs", "--commercial-safe")[2]
    assert "is not known: unknown" in said(capsys, "x", "--model", "nobody-s", "--commercial-safe")[2]
    assert "musicgen-small may not be used" in said(capsys, "x", "--model", "musicgen-small", "--commercial-safe")[2]
    monkeypatch.setenv("TUNESMITH_COMMERCIAL_SAFE", "1")
    assert refused in said(capsys, "x", "--model", "theirs")[2]
    (store.get("theirs").folder / "decoder").unlink()
    assert "decoder: cannot be read" in said(capsys, "x", "--model", "theirs", "--no-commercial-safe")[2]


@pytest.mark.parametrize("command", ["again", "vary"])
def test_a_piece_of_a_model_that_the_settings_refuse_is_not_made_again(
    store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    install(store, "theirs", licence="cc-by-nc-4.0")
    request = {"prompt": "calm", "model": "theirs", "seed": 1}
    write_audio(Audio(np.zeros((1, 100), np.float32), 32_000).with_metadata(request=request), Path("theirs.wav"))
    monkeypatch.setenv("TUNESMITH_COMMERCIAL_SAFE", "1")
    assert "theirs may not be used commercially: cc-by-nc-4.0" in said(capsys, command, "theirs.wav")[2]
    assert not list(Path().glob("calm*"))


@pytest.mark.usefixtures("store")
def test_the_composer_is_always_commercially_safe(capsys: Capture) -> None:
    code, out, _ = said(capsys, "calm piano", "--duration", "1", "--seed", "1", "--commercial-safe", "-o", "a.wav")
    assert code == 0
    assert "1.0 s of music" in out


class Terminal(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def gated(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give a store whose catalog has one model, with a licence that must be accepted."""
    with hub_server() as hub:
        hub.share("org/gated", write_stand_in(tmp_path / "gated"), licence="other")
        tools = partial(PullTools, hub=Hub(hub.url, tmp_path / "cache"), **CopyingConverter().tools())
        monkeypatch.setattr("tunesmith.models.pull.PullTools", tools)
        monkeypatch.setattr(gated_entry.TARGET, lambda: gated_entry.TABLE)
        yield store


@pytest.mark.usefixtures("gated")
def test_without_a_terminal_a_licence_is_accepted_by_a_flag_alone(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code, out, error = said(capsys, "pull", "gated")
    assert (code, len(error.splitlines())) == (2, 1)
    assert error.startswith("tunesmith: error: accept_licence: gated is under terms that must be accepted")
    assert "https://stability.ai/license" in error
    assert "tunesmith pull --accept-licence" in error
    licence, community, gemma = out.splitlines()[1:4]
    assert licence.endswith("gemma (commercial use: below 1,000,000 US dollars of yearly revenue)")
    assert community.startswith(
        "    Stability AI Community License, https://stability.ai/license: commercial use: below"
    )
    assert community.endswith('; show your users "Powered by Stability AI"; its acceptable use policy holds')
    assert gemma.endswith("ai.google.dev/gemma/terms: commercial use: yes; its prohibited use policy holds")
    assert said(capsys, "pull", "gated", "--accept-licence", "--quiet") == (0, "", "")
    assert said(capsys, "pull", "gated", "--name", "again")[0] == 0
    shown = said(capsys, "show", "again")[1]
    assert "show to users\tPowered by Stability AI" in shown
    assert json.loads(said(capsys, "show", "again", "--json")[1])["licence_terms"] == "below-revenue-limit"


def test_at_a_terminal_the_question_comes_once(gated: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\ny\n"))
    code, _, error = said(capsys, "pull", "gated")
    assert (code, gated.models()) == (2, ())
    assert "Do you accept, for gated: Stability AI Community License, https://stability.ai/license; Gemma" in error
    assert said(capsys, "pull", "gated")[0] == 0
    code, _, error = said(capsys, "pull", "gated", "--name", "again")
    assert (code, error) == (0, "")


@pytest.mark.usefixtures("gated")
def test_lists_show_the_limit_and_count_it_as_safe_only_below_it(
    store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(store, "mine", licence=gated_entry.LICENCE)
    assert "below 1,000,000 US dollars of yearly revenue" in said(capsys, "list")[1]
    for command, name in ((("list", "--json"), "mine"), (("list", "--json", "--available"), "gated")):
        assert json.loads(said(capsys, *command)[1])[0]["attribution"] == "Powered by Stability AI"
        assert json.loads(said(capsys, *command, "--commercial-safe")[1]) == []
        (model,) = json.loads(said(capsys, *command, "--commercial-safe", "--revenue-below-limit")[1])
        assert (model["name"], model["commercial_use"]) == (name, False)
    words = "mine may be used commercially only below 1,000,000 US dollars of yearly revenue"
    assert words in said(capsys, "x", "--model", "mine", "--commercial-safe")[2]
    Path("rows.txt").write_text("x\n", encoding="utf-8")
    assert words in said(capsys, "batch", "rows.txt", "--model", "mine", "--commercial-safe")[2]
    monkeypatch.setenv("TUNESMITH_REVENUE_BELOW_LIMIT", "1")
    (store.get("mine").folder / "decoder").unlink()
    assert "decoder: cannot be read" in said(capsys, "x", "--model", "mine", "--commercial-safe")[2]
    assert words in said(capsys, "x", "--model", "mine", "--commercial-safe", "--no-revenue-below-limit")[2]


def test_a_broken_manifest_is_said_and_can_be_removed(store: Store, capsys: Capture) -> None:
    model = install(store, "mine")
    (model.folder / "manifest.json").write_text("{", encoding="utf-8")
    assert said(capsys, "list", "--json")[1] == "[]\n"
    code, _, error = said(capsys, "show", "mine")
    assert code == 2
    assert "manifest.json: is not a manifest of this version of Tunesmith" in error
    assert said(capsys, "rm", "mine")[0] == 0
