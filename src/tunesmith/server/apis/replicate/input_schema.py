"""The fields of ``input`` as a table, which both the validation and the OpenAPI document of a version read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.errors import InvalidRequest
from tunesmith.fields import FIELD_ALIASES, MAX_CHARACTERS, did_you_mean_field, field_for, settled
from tunesmith.request import MAX_DURATION_SECONDS
from tunesmith.server.apis.replicate.errors import InvalidField, InvalidInput
from tunesmith.suggestions import LONGEST

Kind = Literal["string", "integer", "number", "boolean"]

MAX_INPUTS = 64
"""The maximum number of fields of an input; responses show unknown ones too."""

VERSIONS = (
    "stereo-melody-large", "stereo-large", "melody-large", "large", "stereo-melody", "stereo-medium", "stereo-small",
    "melody", "medium", "small",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of the input: its type, inclusive limits, choices and default."""

    kind: Kind
    about: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    is_file: bool = False
    max_characters: int | None = None
    required: bool = False


FIELDS: Mapping[str, InputField] = {
    "model_version": InputField(
        "string", "Model to use for generation", "stereo-melody-large", choices=VERSIONS
    ),
    "prompt": InputField(
        "string", "A description of the music you want to generate.", required=True,
        max_characters=MAX_CHARACTERS["prompt"],
    ),
    "input_audio": InputField(
        "string", "An audio file that influences the generated music: continued if `continuation` is true, otherwise "
        "its melody is followed.", is_file=True,
    ),
    "duration": InputField("integer", "Duration of the generated audio in seconds.", 8, 1, MAX_DURATION_SECONDS),
    "continuation": InputField("boolean", "Whether the music continues from `input_audio`.", False),
    "continuation_start": InputField("integer", "Start of the part to continue from, in seconds.", 0, 0),
    "continuation_end": InputField(
        "integer", "End of the part to continue from, in seconds; the end of the audio if -1 or null.", None, -1
    ),
    "multi_band_diffusion": InputField("boolean", "Accepted for compatibility; EnCodec decodes.", False),
    "normalization_strategy": InputField(
        "string", "Accepted for compatibility; loudness is always normalised.", "loudness",
        choices=("loudness", "clip", "peak", "rms"),
    ),
    "top_k": InputField("integer", "Reduces sampling to the k most likely tokens.", 250, 0, 2048),
    "top_p": InputField(
        "number", "Reduces sampling to tokens with this cumulative probability; 0 uses top_k.", 0.0, 0, 1
    ),
    "temperature": InputField("number", "Controls how adventurous the sampling is.", 1.0, 0, 10),
    "classifier_free_guidance": InputField("number", "Influence of the prompt on the output.", 3, 1, 20),
    "output_format": InputField(
        "string", "Output format for generated audio.", "wav", choices=("wav", "mp3", "flac", "ogg", "opus")
    ),
    "seed": InputField("integer", "Seed of the random generator; null, -1 and 0 choose one.", None, -1, 2**53 - 1),
    "negative_prompt": InputField(
        "string", "What the music should not be.", max_characters=MAX_CHARACTERS["negative_prompt"]
    ),
    "bpm": InputField("number", "Tempo in beats a minute.", None, 20, 300),
    "key": InputField("string", "Key, such as `A minor`.", max_characters=MAX_CHARACTERS["key"]),
    "loop": InputField("boolean", "Whether the end leads into the start.", False),
}  # fmt: skip

# Older names of the fields, which existing programs still send.
OLDER_NAMES: Mapping[str, str] = {"description": "prompt", "melody": "input_audio", "model": "model_version"}
OUR_NAMES: Mapping[str, str] = {"tempo_bpm": "bpm", "guidance_scale": "classifier_free_guidance"}
"""Names of GenerationRequest's fields in this API."""
ALIASES: Mapping[str, str] = {
    **{name: OUR_NAMES.get(field, field) for name, field in FIELD_ALIASES.items()}, **OUR_NAMES, **OLDER_NAMES,
}  # fmt: skip

_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
}  # fmt: skip


def checked_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known fields by their present names. Raises InvalidInput, which lists every mistake."""
    if len(given) > MAX_INPUTS:
        raise InvalidInput(
            [InvalidField("invalid", "input", f"must have at most {MAX_INPUTS} fields, got {len(given)}")]
        )
    try:
        fields, names = settled(given, FIELDS, aliases=ALIASES)
    except InvalidRequest as error:
        raise InvalidInput([InvalidField("invalid", f"input.{error.field}", error.problem)]) from None
    # Some clients send whole numbers as floats: 8.0 is a valid duration.
    fields = {name: _whole(value, FIELDS[name]) for name, value in fields.items() if name in FIELDS}
    wrong = [
        InvalidField("required", "input", f"{name} is required")
        for name, field in FIELDS.items() if field.required and name not in fields
    ]  # fmt: skip
    # All mistakes at once, as Replicate's API lists them.
    wrong += [found for name, value in fields.items() if (found := _validation_error(names[name], value, FIELDS[name]))]
    if wrong:
        raise InvalidInput(wrong)
    return fields


def unknown_fields(given: Mapping[str, Any]) -> list[str]:
    """Return a note for each unknown field, with a suggestion."""
    return [
        f"Ignored: there is no input {name[:LONGEST]!r}{did_you_mean_field(name, FIELDS, ALIASES)}"
        for name in given if field_for(name, FIELDS, ALIASES) is None
    ]  # fmt: skip


def _whole(value: Any, field: InputField) -> Any:
    is_whole = field.kind == "integer" and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _validation_error(name: str, value: Any, field: InputField) -> InvalidField | None:
    path = f"input.{name}"
    # In Python, a bool is an int.
    is_bool = isinstance(value, bool)
    number: Any = value
    if not isinstance(value, _TYPES[field.kind]) or (is_bool and field.kind != "boolean"):
        return InvalidField("invalid_type", path, f"Invalid type. Expected: {field.kind}, given: {_kind_of(value)}")
    if field.choices and value not in field.choices:
        listed = ", ".join(f'"{choice}"' for choice in field.choices)
        return InvalidField("enum", path, f"{name} must be one of the following: {listed}")
    # Negated, so that NaN is refused as well.
    if field.minimum is not None and not number >= field.minimum:
        return InvalidField("number_gte", path, f"Must be greater than or equal to {field.minimum:g}")
    if field.maximum is not None and not number <= field.maximum:
        return InvalidField("number_lte", path, f"Must be less than or equal to {field.maximum:g}")
    return None


def _kind_of(value: Any) -> str:
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "null")
