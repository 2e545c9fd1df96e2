"""The default length of the settings stands back where the request or its prompt sets one."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.config import Settings
from tunesmith.pipeline import settings_defaults

SETTINGS = Settings(duration=60)


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "calm piano, 0:45"}, {"prompt": "calm piano, half a minute"}, {"prompt": "thirty seconds of jazz"},
        {"prompt": "calm, duration: 45"}, {"prompt": "ruhig, achttaktig"}, {"prompt": "静か、三十秒"},
        {"prompt": "jazz, bars: 8"},
        {"prompt": "seamless loop"}, {"prompt": "podcast intro"}, {"prompt": "jazz", "bars": 8},
        {"prompt": "jazz", "loop": True},
        {"prompt": "jazz", "form": "sting"},
    ],
)  # fmt: skip
def test_a_length_that_was_asked_for_wins(fields: dict[str, Any]) -> None:
    assert "duration" not in settings_defaults(SETTINGS, {"model": "composer", **fields})


@pytest.mark.parametrize(
    "prompt", ["calm piano", "8 sad cellos", "90s hip hop", "in 5 styles", "no loop", "7 minor chords"]
)
def test_else_the_setting_counts(prompt: str) -> None:
    assert settings_defaults(SETTINGS, {"model": "composer", "prompt": prompt})["duration"] == 60


def test_a_model_that_reads_no_length_from_a_prompt_gets_the_setting() -> None:
    fields = {"model": "musicgen", "prompt": "calm piano, 0:45"}
    assert settings_defaults(SETTINGS, fields)["duration"] == 60


@pytest.mark.parametrize("fields", [
    {"bars": "8"}, {"audio": "a.wav", "strength": "0"}, {"audio": "a.wav", "repaint": "4-8"},
])  # fmt: skip
def test_the_settings_do_not_change_what_has_a_length_of_its_own(fields: dict[str, Any]) -> None:
    assert "duration" not in settings_defaults(SETTINGS, {"model": "neural", "prompt": "calm", **fields})
