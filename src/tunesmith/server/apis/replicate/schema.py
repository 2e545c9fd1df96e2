"""The OpenAPI document of a version: what clients read the input's fields and the output's kind from."""

from __future__ import annotations

from typing import Any

from tunesmith.field_errors import or_null
from tunesmith.server.apis.replicate.input_schema import FIELDS, InputField


def openapi_schema() -> dict[str, Any]:
    """Return the document."""
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
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {},
        "components": {"schemas": schemas},
    }


def input_schema() -> dict[str, Any]:
    """Return the schema of an input by itself, with what there is to choose from where it belongs."""
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
        about["allOf"] = [{"$ref": f"#/components/schemas/{name}"}]
    else:
        about |= {"type": field.kind, "title": name.replace("_", " ").capitalize()}
    if field.is_file:
        about["format"] = "uri"
    limits = {
        "default": field.default, "maxLength": field.max_characters, "minimum": field.minimum, "maximum": field.maximum,
    }  # fmt: skip
    return about | {word: limit for word, limit in limits.items() if limit is not None}
