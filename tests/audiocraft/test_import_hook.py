"""``import audiocraft`` means this package where it was asked for, and nowhere else."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from forked_python import FreshPopen
from lazy_modules import LazyModule

import tunesmith.audiocraft
from tunesmith.audiocraft.import_hook import AudioCraftFinder, installed
from tunesmith.audiocraft.unsupported_names import UNSUPPORTED

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")


@pytest.fixture
def hook() -> Iterator[None]:
    with installed():
        yield


def test_the_classes_are_there_before_anything_heavy_is() -> None:
    heavy = ("torch", "onnxruntime", "onnx", "pydantic", "scipy", "soundfile", "soxr", "yaml", "huggingface_hub")
    code = f"import sys, tunesmith.audiocraft.models; print([one for one in {heavy} if one in sys.modules])"
    with FreshPopen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as python:
        assert python.communicate()[0] == "[]\n"


@pytest.mark.usefixtures("hook")
def test_every_spelling_leads_to_the_same_classes() -> None:
    for name in ("audiocraft", "audiocraft.models", "audiocraft.models.musicgen", "audiocraft.data.audio",
                 "audiocraft.data.audio_utils", "audiocraft.utils.notebook"):  # fmt: skip
        module = importlib.import_module(name)
        own = importlib.import_module(f"tunesmith.{name}")
        assert module is own
        assert own.__spec__ is not None
        assert own.__spec__.name == own.__name__ == f"tunesmith.{name}"
    space: dict[str, object] = {}
    exec("import audiocraft\nfrom audiocraft.models import MusicGen\nfound = audiocraft.models.MusicGen", space)
    assert space["found"] is space["MusicGen"] is tunesmith.audiocraft.models.MusicGen


@pytest.mark.usefixtures("hook")
@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_name_that_is_not_here_says_so_and_what_to_use(name: str) -> None:
    place, _, last = name.rpartition(".")
    module = f"audiocraft.{place}" if place else "audiocraft"
    with pytest.raises(ImportError, match=rf"audiocraft\.{name}: .*(use|:)"):
        exec(f"from {module} import {last}")
    if last.islower():
        with pytest.raises(ImportError, match=rf"audiocraft\.{name}: "):
            importlib.import_module(f"audiocraft.{name}")


@pytest.mark.usefixtures("hook")
def test_modules_below_absent_packages_and_unknown_names_are_refused_too() -> None:
    with pytest.raises(ImportError, match=r"audiocraft\.solvers: this is for training"):
        importlib.import_module("audiocraft.solvers.musicgen")
    with pytest.raises(ImportError, match=r"docs/audiocraft\.md lists all"):
        importlib.import_module("audiocraft.nothing")
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec("from audiocraft.models import Nothing")


def test_files_are_read_and_written_where_torchaudio_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tunesmith.audiocraft.import_hook._others", lambda: iter(()))
    monkeypatch.delitem(sys.modules, "torchaudio", raising=False)
    with installed():
        with pytest.warns(UserWarning, match="torchaudio is not installed: its load, save and info are Tunesmith's"):
            torchaudio = importlib.import_module("torchaudio")
        wav = 0.5 * torch.ones(2, 800)
        torchaudio.save(str(tmp_path / "a.wav"), wav, 16_000)
        assert torch.equal(torchaudio.load(tmp_path / "a.wav")[0], wav)
        part, rate = torchaudio.load(tmp_path / "a.wav", frame_offset=100, num_frames=50, channels_first=False)
        assert (part.shape, rate) == ((50, 2), 16_000)
        about = torchaudio.info(tmp_path / "a.wav")
        assert (about.sample_rate, about.num_frames, about.num_channels) == (16_000, 800, 2)
        with pytest.raises(ValueError, match=r"uri: must end in \.wav, .*, got 'a\.xyz'"):
            torchaudio.save("a.xyz", wav, 16_000)
        with pytest.raises(AttributeError, match=r"torchaudio\.transforms: only load, save and info are here"):
            _ = torchaudio.transforms
    assert "torchaudio" not in sys.modules


def test_the_hook_is_gone_afterwards() -> None:
    with installed():
        importlib.import_module("audiocraft.models")
    assert not [name for name in sys.modules if name.partition(".")[0] == "audiocraft"]
    assert not any(isinstance(finder, AudioCraftFinder) for finder in sys.meta_path)


def test_a_package_that_was_imported_before_is_replaced_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "audiocraft", ModuleType("audiocraft"))
    with pytest.warns(UserWarning, match="audiocraft was imported already: run the cells that import from it again"):
        tunesmith.audiocraft.load_ipython_extension(None)
    assert importlib.import_module("audiocraft") is tunesmith.audiocraft
    tunesmith.audiocraft.unload_ipython_extension(None)


def test_a_notebook_loads_and_unloads_it() -> None:
    tunesmith.audiocraft.load_ipython_extension(None)
    tunesmith.audiocraft.load_ipython_extension(None)
    assert sum(isinstance(finder, AudioCraftFinder) for finder in sys.meta_path) == 1
    assert importlib.import_module("audiocraft") is tunesmith.audiocraft
    tunesmith.audiocraft.unload_ipython_extension(None)
    assert not any(isinstance(finder, AudioCraftFinder) for finder in sys.meta_path)
