"""The body of this dialect as the OpenAPI document shows it, which the routes read by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from tunesmith.server.dialects.bodies import documented
from tunesmith.server.dialects.huggingface.formats import CONTENT_TYPES


class MusicBody(BaseModel):
    """A prompt and what is wished beside it. A bare prompt is taken as well."""

    inputs: str
    parameters: dict[str, Any] = Field(
        {}, description="Fields of a request, such as duration and seed; format; max_new_tokens; generation_parameters"
    )
    options: dict[str, Any] = Field({}, description="wait_for_model: false answers 503 while the model is loaded")
    model: str | None = Field(None, description="Where the path names none")


def described() -> dict[str, Any]:
    """Return what the OpenAPI document says of a route that answers with music."""
    sound: Mapping[str, Any] = {"schema": {"type": "string", "format": "binary"}}
    answers = {
        "200": {"description": "The sound", "content": dict.fromkeys(sorted(set(CONTENT_TYPES.values())), sound)}
    }
    return {**documented(MusicBody), "responses": answers}
