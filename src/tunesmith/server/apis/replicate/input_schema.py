"""The fields of ``input`` as a table, which the validation and the OpenAPI documents of bodies and versions read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.errors import InvalidRequest
from tunesmith.field_names import FIELD_ALIASES, did_you_mean_field, field_for
from tunesmith.fields import MAX_CHARACTERS, or_null, settled
from tunesmith.request import MAX_DURATION_SECONDS, MAX_STEPS
from tunesmith.server.apis.extensions import IDEMPOTENCY_KEY
from tunesmith.server.apis.replicate.errors import InvalidField, InvalidInput, Json
from tunesmith.server.webhooks import EVENTS
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
    "continuation_start": InputField(
        "integer", "Start of the part to continue from, in seconds.", 0, 0, MAX_DURATION_SECONDS
    ),
    "continuation_end": InputField(
        "integer", "End of the part to continue from, in seconds; the end of the audio if -1 or null.", None, -1,
        MAX_DURATION_SECONDS,
    ),
    "multi_band_diffusion": InputField("boolean", "Accepted for compatibility; EnCodec always decodes.", False),
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
    "seed": InputField("integer", "Seed of the random generator; null, -1 and 0 draw one.", None, -1, 2**53 - 1),
    "negative_prompt": InputField(
        "string", "What to avoid in the music.", max_characters=MAX_CHARACTERS["negative_prompt"]
    ),
    "bpm": InputField("number", "Tempo in beats per minute.", None, 20, 300),
    "key": InputField("string", "Key, such as `A minor`.", max_characters=MAX_CHARACTERS["key"]),
    "steps": InputField("integer", "Steps of the sampler; for Stable Audio.", None, 1, MAX_STEPS),
    "cfg_scale": InputField("number", "Guidance scale; for Stable Audio.", None, 1, 20),
    "strength": InputField(
        "number", "How far `input_audio` is changed; for Stable Audio, unless `continuation` is true.", None, 0, 1
    ),
    "loop": InputField("boolean", "Whether the audio loops without a seam.", False),
}  # fmt: skip

# Older names of the fields, which existing programs still send.
OLDER_NAMES: Mapping[str, str] = {
    "description": "prompt", "melody": "input_audio", "model": "model_version",
    # Names of inputs of Stable Audio at Replicate.
    "seconds_total": "duration", "init_audio": "input_audio", "init_noise_level": "strength",
}  # fmt: skip
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


PREFER = {
    "name": "Prefer", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "`wait`, or `wait=n` with n from 1 to 60: the response waits for the music, at most n seconds.",
}  # fmt: skip


def prediction_body(*, named: bool) -> Json:
    """Return the description of a request for a prediction; ``named`` if the path names the model."""
    address = {"type": "string", "format": "uri", "maxLength": MAX_CHARACTERS["webhook"]}
    events = {"type": "array", "items": {"type": "string", "enum": list(EVENTS)}, "maxItems": len(EVENTS)}
    name = {"type": "string", "maxLength": MAX_CHARACTERS["model"]}
    fields: Json = {
        "input": input_schema(),
        "webhook": or_null({**address, "description": "The URL that receives its events."}),
        "webhook_events_filter": or_null(events),
        "stream": {"description": "Accepted for compatibility; every prediction has a stream."},
    }
    if not named:
        about = "The id of a model's version, `owner/name`, or both as `owner/name:id`."
        model = or_null({**name, "description": "The model of the version, as `owner/name`."})
        fields = {"version": {**name, "description": about}, "model": model, **fields}
    required = ["input"] if named else ["version", "input"]
    title = "PredictionRequest" if named else "VersionedPredictionRequest"
    return {"parameters": [PREFER, dict(IDEMPOTENCY_KEY)], **_body("application/json", title, fields, required)}


def file_body() -> Json:
    """Return the description of a file upload."""
    content = {"type": "string", "format": "binary"}
    most = MAX_CHARACTERS["metadata"]
    metadata = {"type": "string", "maxLength": most, "description": "A JSON object.", "default": "{}"}
    return _body("multipart/form-data", "FileUpload", {"content": content, "metadata": metadata}, ["content"])


def _body(media_type: str, title: str, fields: Json, required: Sequence[str]) -> dict[str, Any]:
    schema = {"type": "object", "title": title, "required": list(required), "properties": fields}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def openapi_schema() -> dict[str, Any]:
    """Return the OpenAPI document of a version, which Replicate's clients read for the input and output types."""
    schemas: dict[str, Any] = {
        "Input": {
            "type": "object", "title": "Input",
            "required": [name for name, field in FIELDS.items() if field.required],
            "properties": {name: _property(name, field, at) for at, (name, field) in enumerate(FIELDS.items())},
        },
        "Output": {"type": "string", "title": "Output", "format": "uri"},
    }  # fmt: skip
    for name, field in FIELDS.items():
        if field.choices:
            about = "An enumeration."
            schemas[name] = {"type": field.kind, "title": name, "enum": list(field.choices), "description": about}
    return {
        "openapi": "3.0.2",
        # The document has the form that Replicate's own models publish.
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {},
        "components": {"schemas": schemas},
    }


def input_schema() -> dict[str, Any]:
    """Return the schema of an input by itself, with the choices inlined instead of referenced."""
    whole = openapi_schema()["components"]["schemas"]
    fields = {
        name: {**{word: value for word, value in field.items() if word != "allOf"}, **whole.get(name, {})}
        for name, field in whole["Input"]["properties"].items()
    }
    fields = {name: field if FIELDS[name].required else or_null(field) for name, field in fields.items()}
    return {**whole["Input"], "title": "MusicInput", "properties": fields}


def _property(name: str, field: InputField, at: int) -> dict[str, Any]:
    about: dict[str, Any] = {"x-order": at, "description": field.about}
    if field.choices:
        # Cog refers to choices like this.
        about["allOf"] = [{"$ref": f"#/components/schemas/{name}"}]
    else:
        about |= {"type": field.kind, "title": name.replace("_", " ").capitalize()}
    if field.is_file:
        about["format"] = "uri"
    limits = {
        "default": field.default, "maxLength": field.max_characters, "minimum": field.minimum, "maximum": field.maximum,
    }  # fmt: skip
    return about | {word: limit for word, limit in limits.items() if limit is not None}
