"""Known capabilities of hosted models: clip length, accepted inputs, licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from tunesmith.hosted.model_names import HostedName
from tunesmith.licences import UNKNOWN_LICENCE


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of a model: ``longest`` clip in seconds; ``tokens`` per second of audio (None: not used).

    ``continues`` and ``melody`` state whether the model accepts a recording to continue or to follow. ``has`` is the
    text
    in a model's name or URL that the entry applies to.
    """

    has: str
    longest: float
    tokens: int | None = None
    continues: bool = False
    melody: bool = False
    licence: str = UNKNOWN_LICENCE


def facts_of(name: HostedName) -> Capabilities:
    """Return the capabilities of a model."""
    text = (name.url or name.id).lower()
    # The table ends with an entry that matches every name.
    return next(facts for facts in _table()[name.service] if facts.has in text)


@cache
def _table() -> Mapping[str, tuple[Capabilities, ...]]:
    text = files("tunesmith.hosted").joinpath("models.yaml").read_text(encoding="utf-8")
    return MappingProxyType(
        {service: tuple(Capabilities(**one) for one in rows) for service, rows in yaml.safe_load(text).items()}
    )
