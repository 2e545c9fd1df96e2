"""The registry: generators by name, loaded when asked for."""

from __future__ import annotations

import pytest

from tunesmith.errors import UnknownName
from tunesmith.generator import Registry


def test_a_generator_is_made_by_its_name() -> None:
    assert isinstance(Registry({"dict": "builtins:dict"}).create("dict"), dict)


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean composer"):
        Registry.discover().create("compser")


def test_the_composer_is_always_there() -> None:
    assert "composer" in Registry.discover().names()
