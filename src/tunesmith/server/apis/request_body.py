"""Request bodies: JSON whatever the Content-Type, validated by a model. Every route reads its JSON here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any, Concatenate, ParamSpec, TypeVar

from fastapi import Request

from tunesmith.errors import InvalidRequest
from tunesmith.field_errors import GivenFields, checked
from tunesmith.server.json_text import WHOLE_BODY, parse_json

PARSED_AT_ONCE_BYTES = 32_768
"""The largest body in bytes that is parsed on the event loop; a larger one is parsed in a thread."""

__all__ = ["WHOLE_BODY", "checked", "documented", "in_thread_if_large", "read_body", "read_object"]

Body = TypeVar("Body", bound=GivenFields)
Result = TypeVar("Result")
Rest = ParamSpec("Rest")


async def read_object(request: Request, long_fields: Collection[str] = ()) -> dict[str, Any]:
    """Return the body, a JSON object; an empty body is an empty object.

    Fields in ``long_fields`` may hold long strings. Raises BadRequest, and InvalidRequest, which names the field.
    """
    raw = await _raw_body(request) or b"{}"
    document = await in_thread_if_large(parse_json, raw, long_fields)
    if not isinstance(document, dict):
        raise InvalidRequest(WHOLE_BODY, "must be a JSON object")
    return document


async def _raw_body(request: Request) -> bytes:
    """Return the raw body; the chunks of a large one are joined in a thread."""
    chunks = [chunk async for chunk in request.stream()]
    is_large = sum(map(len, chunks)) > PARSED_AT_ONCE_BYTES
    return await asyncio.to_thread(_joined, chunks) if is_large else b"".join(chunks)


def _joined(chunks: list[bytes]) -> bytes:
    raw = b"".join(chunks)
    # Frees the chunks at once: the caller still refers to the list, and a large body would be in memory twice.
    chunks.clear()
    return raw


async def in_thread_if_large(
    parse: Callable[Concatenate[bytes, Rest], Result], raw: bytes, *rest: Rest.args, **named: Rest.kwargs
) -> Result:
    """Return ``parse(raw, …)``; a large body is parsed in a thread, so that other requests are not held up."""
    if len(raw) <= PARSED_AT_ONCE_BYTES:
        return parse(raw, *rest, **named)
    return await asyncio.to_thread(parse, raw, *rest, **named)


async def read_body(request: Request, kind: type[Body]) -> Body:
    """Read and validate the body. Raises BadRequest, and InvalidRequest, which names the field."""
    return checked(kind, await read_object(request))


def documented(kind: type[GivenFields], **more: Any) -> dict[str, Any]:
    """Return the OpenAPI description of a body that the route parses itself, unknown to FastAPI.

    ``more`` are schemas of further fields.
    """
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    schema["properties"] |= more
    # The docstring is for readers of the code.
    schema.pop("description", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
