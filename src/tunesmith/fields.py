"""Fields of requests: the limits on their length, and one-line errors that name them.

Errors are in JSON's terms, and name a field as the caller did.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence, Sized
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tunesmith.errors import InvalidRequest
from tunesmith.field_names import FIELD_ALIASES, did_you_mean_field, field_for
from tunesmith.plain_text import visible_text
from tunesmith.suggestions import LONGEST

MAX_CHARACTERS: Mapping[str, int] = {
    "prompt": 2_000,
    "negative_prompt": 2_000,
    "model": 256,
    "genre": 64,
    "key": 32,
    "meter": 16,
    "mood": 64,
    "lock": 32,
    "instruments": 64,
    "without": 64,
    "production": 64,
    "ambience": 64,
    "balance": 64,
    "score_edits": 4_000,
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

MAX_PROMPT_CHARACTERS = MAX_CHARACTERS["prompt"]
MAX_RAW_PROMPT_CHARACTERS = 2 * MAX_PROMPT_CHARACTERS
"""The most characters of a prompt before normalisation, which takes quadratic time in a run of accents."""

MAX_ITEMS: Mapping[str, int] = {
    "instruments": 64, "without": 64, "production": 16, "ambience": 16, "balance": 64, "keep_stems": 16, "hits": 256,
    "tags": 32, "lock": 16, "score_edits": 64,
}  # fmt: skip
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


def check_raw_prompt(prompt: Any) -> Any:
    """Return a prompt before normalisation, which takes quadratic time in a run of accents; raise if it is too long."""
    if isinstance(prompt, str) and len(prompt) > MAX_RAW_PROMPT_CHARACTERS:
        raise ValueError(f"must be at most {MAX_PROMPT_CHARACTERS} characters, got {len(prompt)}")
    return prompt


def check_prompt(prompt: str) -> str:
    """Return a prompt normalised; raise ValueError for one that is too long, or has no words."""
    # Accents may come composed or decomposed; limit and parser use one form.
    text = unicodedata.normalize("NFC", prompt).strip()
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise ValueError(f"must be at most {MAX_PROMPT_CHARACTERS} characters, got {len(text)}")
    check_paragraphs(text)
    # Punctuation and invisible characters alone hold no words.
    if not any(unicodedata.category(c)[0] in "LN" for c in visible_text(text)):
        raise ValueError("must not be empty" if not text else f"must contain words, got {text[:20]!r}")
    return text


Prompt = Annotated[str, Field(json_schema_extra={"maxLength": MAX_CHARACTERS["prompt"]})]
"""A prompt under any field name, as schemas show it; CheckedPrompt checks its length, after normalisation."""

CheckedPrompt = Annotated[Prompt, BeforeValidator(check_raw_prompt), AfterValidator(check_prompt)]
"""A prompt, normalised and checked."""

ModelName = Annotated[str, Field(max_length=MAX_CHARACTERS["model"]), AfterValidator(check_characters)]
Genre = Annotated[str, Field(max_length=MAX_CHARACTERS["genre"]), AfterValidator(check_characters)]
Key = Annotated[str, Field(max_length=MAX_CHARACTERS["key"]), AfterValidator(check_characters)]
Meter = Annotated[str, Field(max_length=MAX_CHARACTERS["meter"]), AfterValidator(check_characters)]
Mood = Annotated[str, Field(max_length=MAX_CHARACTERS["mood"]), AfterValidator(check_characters)]
InstrumentName = Annotated[str, Field(max_length=MAX_CHARACTERS["instruments"]), AfterValidator(check_characters)]
NegativePrompt = Annotated[str, Field(max_length=MAX_CHARACTERS["negative_prompt"]), AfterValidator(check_paragraphs)]
Regions = Annotated[str, Field(max_length=MAX_CHARACTERS["repaint"]), AfterValidator(check_characters)]
Tag = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS["tags"]), AfterValidator(check_characters)]


LIMITS: Mapping[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be text",
    "tuple_type": "must be an array",
    "frozen_set_type": "must be an array",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_unicode": "must be text in UTF-8",
    "string_too_long": "must be at most {max_length} characters",
    "string_too_short": "must be at least {min_length} characters",
    "too_long": "must be at most {max_length} items",
    "missing": "is missing",
}
"""Message templates by the type of Pydantic's error."""

UNKNOWN = "extra_forbidden"
MISSING = "missing"
TOO_LONG = ("string_too_long", "too_long")
SHOWN_CHARACTERS = 80
ANNOTATIONS = ("title", "description", "default", "examples", "x-order")
"""JSON Schema keywords that do not affect validation."""
JSON_WORDS: Mapping[object, str] = {None: "null", True: "true", False: "false"}


class GivenFields(BaseModel):
    """The base of models for caller input: null means that a field is omitted.

    ``EXACT_NAMES`` are fields without aliases.
    """

    EXACT_NAMES: ClassVar[Collection[str]] = ()

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the JSON Schema, in which every optional field may also be null."""
        schema = handler.resolve_ref_schema(handler(core))
        required = schema.get("required", ())
        for name, field in schema.get("properties", {}).items():
            if name not in required:
                schema["properties"][name] = or_null(field)
        return schema


def or_null(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return the JSON Schema of a field that may also be null."""
    if any(one.get("type") == "null" for one in schema.get("anyOf", ())) or not schema:
        return schema
    about = {word: value for word, value in schema.items() if word in ANNOTATIONS}
    limits = {word: value for word, value in schema.items() if word not in ANNOTATIONS}
    return {**about, "anyOf": [limits, {"type": "null"}]} if limits else schema


Fields = TypeVar("Fields", bound=GivenFields)


def shown(value: object) -> str:
    """Return a value as text for an error message: in JSON's terms, and short however large it is."""
    if value is None or isinstance(value, bool):
        return JSON_WORDS[value]
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "nan" if math.isnan(value) else f"{value:g}"
    if isinstance(value, int):
        # Python refuses to convert very long integers, and takes quadratic time.
        return str(value) if value.bit_length() < 4 * SHOWN_CHARACTERS else "a number of many digits"
    if isinstance(value, str):
        return repr(value[:SHOWN_CHARACTERS])
    if isinstance(value, bytes):
        return "a file"
    if isinstance(value, Mapping):
        return "an object"
    return "an array" if isinstance(value, list | tuple | set | frozenset) else repr(value)[:SHOWN_CHARACTERS]


def checked(
    kind: type[Fields],
    given: Mapping[str, Any],
    *,
    aliases: Mapping[str, str] = FIELD_ALIASES,
    beside: Collection[str] = (),
) -> Fields:
    """Validate the fields from a caller; raise InvalidRequest that names the first invalid one as the caller did.

    ``aliases`` are other names for fields; ``beside`` are fields of the same body that are read elsewhere, for
    suggestions.
    """
    fields, names = settled(given, kind.model_fields, kind.EXACT_NAMES, aliases)
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        field, problem = first_mistake(error, (*kind.model_fields, *beside), aliases, fields)
        first, dot, rest = field.partition(".")
        raise InvalidRequest(f"{names.get(first, first)}{dot}{rest}", problem) from None


def settled(
    given: Mapping[str, Any],
    known: Collection[str],
    exact: Collection[str] = (),
    aliases: Mapping[str, str] = FIELD_ALIASES,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values by their canonical field names, and the caller's name for each field.

    Nulls are omitted, and unknown names stay unchanged. Raises InvalidRequest if a field has different values under two
    names.
    """
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in given.items():
        if value is None:
            continue
        field = field_for(name, known, aliases) or name
        if field in exact:
            field = name
        if field in fields and fields[field] != value:
            raise InvalidRequest(name, f"is an alias of {names[field]}, which has another value; give only one")
        fields.setdefault(field, value)
        names.setdefault(field, name)
    return fields, names


def format_validation_error(error: ValidationError) -> str:
    """Return the first validation error in one line: ``field: problem, got value``."""
    field, problem = first_mistake(error)
    return f"{field}: {problem}" if field else problem


def first_mistake(
    error: ValidationError,
    known: Collection[str] = (),
    aliases: Mapping[str, str] = FIELD_ALIASES,
    given: Mapping[str, Any] | None = None,
) -> tuple[str, str]:
    """Return the field and the problem of the first error; unknown names come first, since they explain the rest.

    The message shows values as in ``given``, since a validator may have turned ``31:00`` into seconds.
    """
    mistakes = error.errors(include_url=False)
    first = next((one for one in mistakes if one["type"] == UNKNOWN), mistakes[0])
    # The name of a caller's field may have any length.
    field = ".".join(str(part)[:LONGEST] for part in first["loc"])
    if first["type"] == UNKNOWN:
        hint = did_you_mean_field(str(first["loc"][-1]), known, aliases)
        return field, f"is not a field of this request{hint}"
    if first["type"] == "value_error":
        # Our own validators raise ValueError, to whose text Pydantic adds this prefix.
        problem = first["msg"].removeprefix("Value error, ")
        named, colon, rest = problem.partition(": ")
        return (field, problem) if field else (named, rest) if colon else ("", problem)
    value = first.get("input") if given is None else _value_at(first["loc"], given, first.get("input"))
    return field, limit_and_value({**first, "input": value})


def _value_at(place: Sequence[str | int], given: Any, otherwise: Any) -> Any:
    """Return the value at a path in the input, or ``otherwise`` if there is none."""
    for part in place:
        try:
            given = given[part]
        except (KeyError, IndexError, TypeError):
            return otherwise
    return given


def limit_and_value(mistake: Mapping[str, Any]) -> str:
    """Return the violated limit of a Pydantic error, and the value."""
    limit = LIMITS.get(mistake["type"])
    bounds = {
        name: f"{bound:.15g}" if isinstance(bound, float) else bound for name, bound in mistake.get("ctx", {}).items()
    }
    message = mistake["msg"]
    text = limit.format(**bounds) if limit else message[0].lower() + message[1:]
    # Pydantic's value is then the whole input.
    if mistake["type"] == MISSING:
        return text
    value = mistake.get("input")
    if mistake["type"] in TOO_LONG and isinstance(value, Sized):
        return f"{text}, got {len(value)}"
    return f"{text}, got {shown(value)}"
