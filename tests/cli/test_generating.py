"""From the options of ``tunesmith generate`` to a request: every option reaches it, and nothing else does."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from tunesmith import pipeline
from tunesmith.cli import run
from tunesmith.cli.arguments import FIELD_OF_OPTION
from tunesmith.cli.generate import generate
from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.pipeline import GenerationOptions
from tunesmith.request import GenerationRequest

OPTIONS = list(inspect.signature(generate).parameters)


def test_every_field_of_a_request_has_its_option() -> None:
    named = {FIELD_OF_OPTION.get(option, option) for option in OPTIONS}
    fields = set(GenerationRequest.model_fields)
    assert fields <= named
    assert fields | {"variations"} == set(GenerationOptions.__dataclass_fields__)


def test_an_option_of_another_name_is_that_field(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[GenerationOptions] = []

    def keep(options: GenerationOptions, settings: Settings) -> list[GenerationRequest]:  # noqa: ARG001
        seen.append(options)
        raise InvalidRequest("prompt", "seen")

    monkeypatch.setattr(pipeline, "build_requests", keep)
    # Some of the options exclude each other.
    monkeypatch.setattr(import_module("tunesmith.cli.generate"), "check_recording", lambda *_: None)
    texts = [name for name, kind in GenerationOptions.__annotations__.items() if kind == "str | None"]
    options = {field: option for option, field in FIELD_OF_OPTION.items()}
    flags = [f"--{options.get(field, field).replace('_', '-')}={field}" for field in texts]
    assert run(["x", *flags, "--continue", "--hit=3", "--output=a.wav", "-n2"]) == 2
    assert {field: getattr(seen[0], field) for field in texts} == {field: field for field in texts}
    assert (seen[0].hits, seen[0].variations) == (["3"], 2)
    assert set(FIELD_OF_OPTION) <= set(OPTIONS)
