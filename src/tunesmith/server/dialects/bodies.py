"""Request bodies: JSON whatever the Content-Type says, checked against a model."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from tunesmith.errors import InvalidRequest
from tunesmith.request import one_line

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, kind: type[Body]) -> Body:
    """Read the body; raises InvalidRequest that names the field."""
    try:
        fields = json.loads(await request.body())
    except ValueError:
        raise InvalidRequest("body", "must be JSON") from None
    if not isinstance(fields, dict):
        raise InvalidRequest("body", "must be a JSON object")
    return checked(kind, fields)


def checked(kind: type[Body], fields: dict[str, Any]) -> Body:
    """Make the model of the fields; raises InvalidRequest that names the first wrong one."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        field, _, problem = one_line(error).partition(": ")
        raise InvalidRequest(field, problem) from None


def documented(kind: type[BaseModel]) -> dict[str, Any]:
    """Return the part of an OpenAPI operation that describes the body, which FastAPI does not read itself."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
