"""Values of a request before and after a change, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.request import GenerationRequest

ChangeSource = Literal["words", "setting", "follows"]
"""What a change comes from: words, a field, or another change."""
_BARE = "–"


@dataclass(frozen=True, slots=True)
class RequestChange:
    """A change of one ``field`` of a piece, from ``before`` to ``after``, with its reason and source."""

    field: str
    before: str
    after: str
    because: str
    source: ChangeSource = "words"

    def __str__(self) -> str:
        return f"{self.field}: {self.before} -> {self.after}, {self.because}"


def shown_value(value: Any) -> str:
    """Return a value of a request as a person reads it; a dash for none."""
    if value in (None, (), "", [], False):
        return _BARE
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(shown_value, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown_value(one)}" for name, one in value.items())
    return "yes" if value is True else f"{value:g}" if isinstance(value, float) else str(value)


def differences(before: GenerationRequest, after: GenerationRequest, words: str = "") -> tuple[RequestChange, ...]:
    """Return what differs between two requests, field by field."""
    because = f"the words {words!r}" if words else "requested"
    return tuple(
        RequestChange(name, shown_value(getattr(before, name)), shown_value(getattr(after, name)), because,
                      "words" if words else "setting")
        for name in GenerationRequest.model_fields
        if getattr(before, name) != getattr(after, name)
    )  # fmt: skip
