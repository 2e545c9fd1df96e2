"""The AsyncAPI document of live streams says what the server reads."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from live_description import description, schema_of
from pydantic import BaseModel

from tunesmith.live_stream import LiveSettings
from tunesmith.server.apis.native.live_messages import LiveRecord, LiveStart

LIMITS = ("minimum", "maximum", "maxLength", "uniqueItems", "items", "enum", "default")


def limits_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the limits of a field, wherever its schema has them."""
    inner: dict[str, Any] = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), {})
    found = {name: value for name, value in {**inner, **schema}.items() if name in LIMITS}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(("kind", "model"), [("settings", LiveSettings), ("start", LiveStart), ("record", LiveRecord)])
def test_fields_and_limits_are_those_of_the_server(kind: str, model: type[BaseModel]) -> None:
    own, told = model.model_json_schema()["properties"], dict(schema_of(kind)["properties"])
    told.pop("type", None)
    assert told.keys() == own.keys()
    assert {name: limits_of(schema) for name, schema in told.items()} == {
        name: limits_of(schema) for name, schema in own.items()
    }


def test_every_message_has_a_schema_and_every_schema_is_one() -> None:
    schemas, messages = description()["components"]["schemas"], description()["channels"]["live"]["messages"]
    assert schemas.keys() - {"settings"} == messages.keys() - {"block"}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    used = {one["$ref"].rpartition("/")[2] for each in description()["operations"].values() for one in each["messages"]}
    assert used == messages.keys()
