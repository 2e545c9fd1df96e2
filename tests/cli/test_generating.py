"""From the options of ``tunesmith generate`` to a request: every wish reaches it, and nothing else does."""

from __future__ import annotations

import inspect

from tunesmith.cli.aliases import FIELD_OF_OPTION
from tunesmith.cli.generate import generate
from tunesmith.cli.generating import request_options
from tunesmith.request import GenerationRequest

OPTIONS = list(inspect.signature(generate).parameters)


def test_every_field_of_a_request_has_its_option() -> None:
    assert set(request_options(dict.fromkeys(OPTIONS))) == set(GenerationRequest.model_fields)


def test_an_option_of_another_name_is_that_field() -> None:
    assert request_options({"bpm": 90, "hit": ["3"], "output": "a.wav"}) == {"tempo_bpm": 90, "hits": ["3"]}
    assert set(FIELD_OF_OPTION) <= set(OPTIONS)
