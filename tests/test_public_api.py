"""What ``import tunesmith`` gives."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

import tunesmith


def test_every_public_name_can_be_had() -> None:
    for name in tunesmith.__all__:
        assert getattr(tunesmith, name) is not None
    assert sorted(tunesmith.__all__) == tunesmith.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tunesmith.nothing


def test_no_public_name_is_that_of_a_module() -> None:
    # Importing a module puts it in the place of a name that is looked up when it is first used.
    assert [name for name in tunesmith.__all__ if find_spec(f"tunesmith.{name}") is not None] == []


INTERNAL_ERRORS = {"LiveStreamsFull", "TaskFailed", "RunnerCrashed", "InvalidItem", "ServerStopping"}
"""Errors between parts of the program, which no caller of the library meets."""


def test_every_error_is_public() -> None:
    from tunesmith import errors

    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert tree - INTERNAL_ERRORS <= set(tunesmith.__all__)


def test_importing_is_cheap() -> None:
    code = "import sys, tunesmith; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_generate_gives_audio_of_the_length_asked_for() -> None:
    audio = tunesmith.generate("calm piano", duration=2, seed=7)
    assert audio.duration == 2.0
    assert audio.metadata["seed"] == 7


def test_bad_wishes_raise_before_any_work() -> None:
    with pytest.raises(tunesmith.InvalidRequest, match="duration"):
        tunesmith.generate("x", duration=0)
    with pytest.raises(tunesmith.UnknownName, match="composer"):
        tunesmith.generate("x", model="composr")
