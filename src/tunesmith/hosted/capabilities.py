"""What is known of hosted models before they are called: how much they make at once, what they take, their licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from tunesmith.hosted.model_names import HostedName

UNKNOWN_LICENCE = "unknown"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """``longest`` is what one call makes, in seconds; ``tokens`` are a second's ``max_new_tokens``, None where unused.

    ``continues`` and ``melody`` say whether it takes a recording to go on from, or one whose tune to follow.
    """

    has: str
    longest: float
    tokens: int | None = None
    continues: bool = False
    melody: bool = False
    licence: str = UNKNOWN_LICENCE


def facts_of(name: HostedName) -> Capabilities:
    """Return what is known of a model."""
    text = (name.url or name.id).lower()
    return next(facts for facts in _table()[name.service] if facts.has in text)


@cache
def _table() -> Mapping[str, tuple[Capabilities, ...]]:
    text = files("tunesmith.hosted").joinpath("models.yaml").read_text(encoding="utf-8")
    return MappingProxyType(
        {service: tuple(Capabilities(**one) for one in rows) for service, rows in yaml.safe_load(text).items()}
    )
