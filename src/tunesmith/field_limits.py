"""Length limits of request fields: one table for all APIs, which the docs and the OpenAPI document show."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_CHARACTERS: Mapping[str, int] = {
    "prompt": 2_000,
    "negative_prompt": 2_000,
    "model": 256,
    "genre": 64,
    "key": 32,
    "meter": 16,
    "instruments": 64,
    "without": 64,
    "tags": 64,
    "repaint": 1_000,
    "quantization": 32,
    "revision": 128,
    "metadata": 16_384,
    "search": 500,
    "webhook": 2_048,
    "idempotency_key": 256,
}
"""The most characters of a text, or of each text in a list."""

MAX_ITEMS: Mapping[str, int] = {"instruments": 64, "without": 64, "keep_stems": 16, "hits": 256, "tags": 32}
"""The most items of a list."""

OTHER_NAMES: Mapping[str, str] = {
    "inputs": "prompt", "input": "prompt", "text": "prompt", "description": "prompt", "instructions": "prompt",
    "model_id": "model", "version": "model",
}  # fmt: skip
"""Field names of other services."""

MAX_NUMBER_CHARACTERS = 40
"""The most characters of a number given as text."""

_LAYOUT = "\n\r\t"


def max_characters(field: str, otherwise: int) -> int:
    """Return the most characters of a field, under any of its names; ``otherwise`` if it has no limit."""
    return MAX_CHARACTERS.get(OTHER_NAMES.get(field, field), otherwise)


def check_characters(text: str, allowed: str = "") -> str:
    """Return the text; raise ValueError for lone surrogates, and for control characters that are not allowed."""
    # The fast path for nearly every text; the loop is slow.
    if text.isprintable():
        return text
    for character in text:
        kind = unicodedata.category(character)
        if kind == "Cs":
            raise ValueError(f"must be text in UTF-8, got half a surrogate pair (U+{ord(character):04X})")
        if kind == "Cc" and character not in allowed:
            raise ValueError(f"must not contain control characters, got U+{ord(character):04X}")
    return text


def check_paragraphs(text: str) -> str:
    """Return the text; raise ValueError for control characters other than line ends and tabs."""
    return check_characters(text, _LAYOUT)


Prompt = Annotated[str, Field(json_schema_extra={"maxLength": MAX_CHARACTERS["prompt"]})]
"""A prompt under any field name; GenerationRequest checks its length, after normalisation."""

ModelName = Annotated[str, Field(max_length=MAX_CHARACTERS["model"]), AfterValidator(check_characters)]
Genre = Annotated[str, Field(max_length=MAX_CHARACTERS["genre"]), AfterValidator(check_characters)]
Key = Annotated[str, Field(max_length=MAX_CHARACTERS["key"]), AfterValidator(check_characters)]
Meter = Annotated[str, Field(max_length=MAX_CHARACTERS["meter"]), AfterValidator(check_characters)]
InstrumentName = Annotated[str, Field(max_length=MAX_CHARACTERS["instruments"]), AfterValidator(check_characters)]
NegativePrompt = Annotated[str, Field(max_length=MAX_CHARACTERS["negative_prompt"]), AfterValidator(check_paragraphs)]
Regions = Annotated[str, Field(max_length=MAX_CHARACTERS["repaint"]), AfterValidator(check_characters)]
Tag = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS["tags"]), AfterValidator(check_characters)]
