"""OpenAPI descriptions of the bodies that this API parses itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tunesmith.fields import MAX_CHARACTERS, or_null
from tunesmith.server.apis.replicate.input_schema import FIELDS, InputField
from tunesmith.server.apis.replicate.json_types import Json
from tunesmith.server.apis.schemas import IDEMPOTENCY_KEY
from tunesmith.server.webhooks.delivery import EVENTS

PREFER = {
    "name": "Prefer", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "`wait`, or `wait=n` with n of 1 to 60: the answer comes with the music, or after n seconds.",
}  # fmt: skip


def prediction_body(*, named: bool) -> Json:
    """Return the description of a request for a prediction; ``named`` if the path names the model."""
    address = {"type": "string", "format": "uri", "maxLength": MAX_CHARACTERS["webhook"]}
    events = {"type": "array", "items": {"type": "string", "enum": list(EVENTS)}, "maxItems": len(EVENTS)}
    name = {"type": "string", "maxLength": MAX_CHARACTERS["model"]}
    fields: Json = {
        "input": input_schema(),
        "webhook": or_null({**address, "description": "Where the news of it are posted to."}),
        "webhook_events_filter": or_null(events),
        "stream": {"description": "Accepted for compatibility: there always is a stream."},
    }
    if not named:
        about = "The id of a model's version, `owner/name`, or both as `owner/name:id`."
        model = or_null({**name, "description": "The model of the version, as `owner/name`."})
        fields = {"version": {**name, "description": about}, "model": model, **fields}
    wanted = ["input"] if named else ["version", "input"]
    title = "PredictionRequest" if named else "VersionedPredictionRequest"
    return {"parameters": [PREFER, dict(IDEMPOTENCY_KEY)], **_body("application/json", title, fields, wanted)}


def file_body() -> Json:
    """Return the description of a file upload."""
    content = {"type": "string", "format": "binary"}
    most = MAX_CHARACTERS["metadata"]
    metadata = {"type": "string", "maxLength": most, "description": "A JSON object.", "default": "{}"}
    return _body("multipart/form-data", "FileUpload", {"content": content, "metadata": metadata}, ["content"])


def _body(media_type: str, title: str, fields: Json, wanted: Sequence[str]) -> dict[str, Any]:
    schema = {"type": "object", "title": title, "required": list(wanted), "properties": fields}
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
        name: {**{word: said for word, said in field.items() if word != "allOf"}, **whole.get(name, {})}
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
