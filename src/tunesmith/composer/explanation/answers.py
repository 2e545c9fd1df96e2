"""Answers: what an explanation consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Value = str | int | float | bool | Mapping[str, Any]
"""The value of an answer, as the field of a request takes it."""

AnswerSource = Literal["words", "setting", "genre", "mood", "chance", "default"]
"""Where an answer comes from: the prompt, a field of the request, what is usual, or the seed."""


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A stretch of the prompt as it was sent: ``start`` to ``end`` (exclusive), in Unicode code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Another value that a field could have, and its name for people."""

    value: Value
    label: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one musical question.

    ``sets`` is the request's field that decides it, None where only the words of the prompt do; ``is_locked`` states
    that the request sets it. Instruments and hits have an answer each.
    """

    field: str
    value: Value
    label: str
    reason: str
    source: AnswerSource
    spans: tuple[TextSpan, ...] = ()
    is_locked: bool = False
    sets: str | None = None
    alternatives: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the composer makes of a request: the title, the seed, the answers, and warnings in words."""

    title: str
    seed: int
    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]
