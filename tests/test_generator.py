"""The registry: generators by name, loaded when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from strange_generators import Prompt

from tunesmith.errors import ModelNotInstalled, UnknownName
from tunesmith.models.registry import Registry


def test_a_generator_is_made_by_its_name() -> None:
    assert isinstance(Registry({"prompt": Prompt}).create("prompt"), Prompt)


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean composer"):
        Registry.discover().create("compser")


def test_the_composer_is_always_there() -> None:
    assert "composer" in Registry.discover().names()


def test_a_name_in_no_table_is_asked_of_the_resolvers() -> None:
    with pytest.raises(ModelNotInstalled, match="install it with: tunesmith pull musicgen-large"):
        Registry({}).create("musicgen-large")
    with pytest.raises(UnknownName, match=r"there is no model called 'musicgen-large'$"):
        Registry({}, resolvers=()).create("musicgen-large")


def test_the_composer_does_not_wait_for_the_model_store_or_all_of_scipy() -> None:
    code = """
import sys, tunesmith.cli.app
from tunesmith.models.registry import Registry
Registry.discover().create("composer")
# The last two are compiled kernels by themselves, without the package around them.
kernels = ("scipy.signal._sigtools", "scipy.signal._sosfilt")
light = ("tunesmith.models.registry", "tunesmith.models.factories", *kernels)
heavy = ("tunesmith.models.", "tunesmith.musicgen", "huggingface_hub", "scipy.stats", "scipy.signal", "scipy.fft")
print([name for name in sys.modules if name.startswith(heavy) and name not in light])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_server_starts_without_the_composer_or_an_http_client() -> None:
    code = """
import sys, tunesmith.server.app
heavy = ("tunesmith.composer.prompt", "tunesmith.composer.writing", "tunesmith.composer.mix", "scipy", "httpx", "rich")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
