"""The interface is that of the real AudioCraft: names and signatures as in its source, and as the page says."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import audiocraft_source as source
import pytest
from doc_pages import read_page

from tunesmith.audiocraft.import_hook import installed
from tunesmith.audiocraft.models import AudioGen, MusicGen

ROW = re.compile(r"^\| (?P<names>`[^|]+`) \| (?P<status>same|differs|not here) \| (?P<note>.*?) ?\|$", re.MULTILINE)
PAGE = {
    name: (row["status"], row["note"])
    for row in ROW.finditer(read_page("docs/audiocraft.md"))
    for name in re.findall(r"`([^`]+)`", row["names"])
}
FUNCTIONS = ("data.audio", "data.audio_utils", "utils.notebook")


def methods(module: str, class_name: str) -> dict[str, source.Function]:
    functions = source.public_functions(module)
    return {name.partition(".")[2]: node for name, node in functions.items() if name.partition(".")[0] == class_name}


def signatures() -> Iterator[tuple[str, source.Function]]:
    """Yield every public function and method that scripts call, as the page names it."""
    for module in FUNCTIONS:
        for name, node in source.public_functions(module).items():
            yield f"{module}.{name}", node
    music = methods("models.genmodel", "BaseGenModel") | methods("models.musicgen", "MusicGen")
    classes = {
        "MusicGen": music, "AudioGen": methods("models.audiogen", "AudioGen"),
        "CompressionModel": methods("models.encodec", "CompressionModel"),
    }  # fmt: skip
    for owner, found in classes.items():
        for name, node in found.items():
            yield f"models.{owner}.{name}", node


def public_names() -> set[str]:
    """Return every public name of the real package that the page must speak of."""
    names = {name for name, _ in signatures()} | {f"models.{name}" for name in source.exported_names("models")}
    return names | {f"models.MusicGen.{name}" for name in source.public_attributes("models.genmodel", "BaseGenModel")}


@pytest.fixture
def found(small: MusicGen, sounds: AudioGen) -> Any:
    """Return what a name of the page is here; None for nothing."""
    objects = {"MusicGen": small, "AudioGen": sounds, "CompressionModel": small.compression_model}

    def find(name: str) -> Any:
        place, _, last = name.rpartition(".")
        _, _, owner = place.rpartition(".")
        if owner in objects:
            return getattr(objects[owner], last, None)
        try:
            return getattr(importlib.import_module(f"tunesmith.audiocraft.{place}".rstrip(".")), last, None)
        except ImportError:
            return None

    return find


def test_the_page_speaks_of_every_public_name_and_of_no_other() -> None:
    modules = {name for name in source.modules() if name}
    names = public_names()
    assert names - set(PAGE) == set()
    assert set(PAGE) - names - modules == set()
    covered = ("data", "models", "utils", *FUNCTIONS)
    absent = tuple(f"{name}." for name, (status, _) in PAGE.items() if status == "not here")
    assert {one for one in modules if one not in PAGE and one not in covered and not one.startswith(absent)} == set()


def test_what_the_page_says_is_here_is_here_and_the_rest_is_not(found: Any) -> None:
    for name, (status, note) in PAGE.items():
        assert (found(name) is not None) is (status != "not here"), name
        assert note or status == "same", name


def test_what_is_not_here_raises_an_import_error() -> None:
    with installed():
        for name, (status, _) in PAGE.items():
            place, _, last = name.rpartition(".")
            # Members of classes are not imported.
            if status == "not here" and not place.rpartition(".")[2][:1].isupper():
                with pytest.raises(ImportError, match=rf"audiocraft\.{name}: "):
                    exec(f"from audiocraft{'.' if place else ''}{place} import {last}")


def test_every_function_has_the_parameters_and_defaults_of_the_source(found: Any) -> None:
    compared = 0
    for name, node in signatures():
        if PAGE[name][0] == "not here" or source.is_property(node):
            continue
        wanted = [
            (one.name, inspect.Parameter.empty if one.default is None else ast.literal_eval(one.default))
            for one in source.parameters(node)
        ]
        ours = inspect.signature(found(name)).parameters.values()
        # Only parameters by name alone may be added, which no call for AudioCraft meets.
        positional = [(one.name, one.default) for one in ours if one.kind is not one.KEYWORD_ONLY]
        optional = [one.name for one in ours if one.kind is one.KEYWORD_ONLY]
        assert (positional, optional) == (wanted, ["cfg_coef_beta"] if name == CHANGED else []), name
        compared += 1
    assert compared > 20


CHANGED = "models.MusicGen.set_generation_params"
