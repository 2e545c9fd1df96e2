from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tunesmith.composer.brief import Brief, Mood
from tunesmith.composer.theory import Key, Meter

LOFI = Brief(
    prompt="lofi",
    title="Lofi",
    genre="lofi",
    seed=1,
    tempo_bpm=82.0,
    tempo_is_given=False,
    tempo_range=(68.0, 94.0),
    key=Key(9, "minor"),
    meter=Meter(),
    duration=30.0,
    bars=None,
    form="track",
    mood=Mood(),
)


@pytest.fixture
def brief() -> Callable[..., Brief]:
    """Return a maker of briefs: a lofi track of 30 s, changed as the test needs."""

    def make(**changes: Any) -> Brief:
        return replace(LOFI, **changes)

    return make
