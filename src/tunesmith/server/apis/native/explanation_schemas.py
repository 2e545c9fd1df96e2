"""Response schemas of explanations."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tunesmith.composer.explanation.answers import AnswerSource
from tunesmith.server.apis.native.schemas import ResponseModel


class ReasonDocument(ResponseModel):
    """The reason for a ``field`` of the brief; ``source`` is flag, prompt, meaning, genre or chance."""

    field: str
    value: str
    source: str
    because: str


class SpanDocument(ResponseModel):
    """A stretch of the prompt as it was sent, in Unicode code points; ``end`` is exclusive."""

    start: int
    end: int


class ChoiceDocument(ResponseModel):
    """Another value for the field that decides an answer, and its name for people."""

    value: Any
    label: str


class AnswerDocument(ResponseModel):
    """The composer's answer to one musical question; instruments and hits have one each."""

    field: str = Field(description="genre, mood, tempo, key, meter, instruments, form, duration and more.")
    value: Any = Field(description="As the field of a request takes it.")
    label: str = Field(description="The value in words.")
    reason: str
    source: AnswerSource = Field(description="Words of the prompt, a setting of the request, or who decides instead.")
    spans: list[SpanDocument] = Field(description="Where its words are in the prompt.")
    is_locked: bool = Field(description="Whether the request sets it.")
    sets: str | None = Field(description="The field of the request that decides it; null: only the prompt's words.")
    alternatives: list[ChoiceDocument] = Field(description="Other values, the most fitting first; at most 12.")


class ExplanationDocument(ResponseModel):
    """What the composer makes of a request."""

    prompt: str
    title: str
    seed: int
    answers: list[AnswerDocument]
    reasons: list[ReasonDocument] = Field(description="What the prompt's reader decides alone, as `tunesmith explain`.")
    warnings: list[str]
