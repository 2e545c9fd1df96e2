"""The OpenAPI document of the server, with complete responses, errors, operation names, security and servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from tunesmith.server.apis.routing import dialect_of
from tunesmith.server.operations import OPERATIONS, Json, Operation

NULLABLE_TEXT: Json = {"anyOf": [{"type": "string"}, {"type": "null"}]}
NULLABLE_NUMBER: Json = {"anyOf": [{"type": "number"}, {"type": "null"}]}
NULLABLE_FLAG: Json = {"anyOf": [{"type": "boolean"}, {"type": "null"}]}
TEXT, NUMBER, FLAG, ANY = {"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "object"}


def _object(required: str = "", **properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties}
    return {**schema, "required": required.split()} if required else schema


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: Mapping[str, Json] = {
    "HuggingFaceError": _object("error", error=TEXT, error_type=TEXT, estimated_time=NUMBER),
    "Problem": _object(
        "title detail status", title=TEXT, detail=TEXT, status={"type": "integer"},
        invalid_fields=_list(_object("type field description", type=TEXT, field=TEXT, description=TEXT)),
    ),
    "ElevenLabsError": _object("detail", detail=_object("status message", status=TEXT, message=TEXT)),
    "OpenAIError": _object(
        "error", error=_object("message type", message=TEXT, type=TEXT, param=NULLABLE_TEXT, code=NULLABLE_TEXT)
    ),
    "RpcError": _object(
        "jsonrpc error", jsonrpc=TEXT, id={}, error=_object("code message", code={"type": "integer"}, message=TEXT)
    ),
    "Prediction": _object(
        "id model version status", id=TEXT, model=TEXT, version=TEXT, input=ANY, output=NULLABLE_TEXT, logs=TEXT,
        error=NULLABLE_TEXT, status={"enum": ["starting", "processing", "succeeded", "failed", "canceled"]},
        data_removed=FLAG, source=TEXT, created_at=TEXT, started_at=NULLABLE_TEXT, completed_at=NULLABLE_TEXT,
        metrics=ANY, urls=ANY,
    ),
    "Track": _object(
        "id prompt", id=TEXT, prompt=TEXT, seed={"anyOf": [{"type": "integer"}, {"type": "null"}]}, model=TEXT,
        generated_by=TEXT, duration=NUMBER, created_at=NUMBER, rating=NULLABLE_NUMBER, starred=FLAG, tags=_list(TEXT),
        parent=NULLABLE_TEXT, job=NULLABLE_TEXT, format=NULLABLE_TEXT, bytes=NULLABLE_NUMBER, licence=NULLABLE_TEXT,
        commercial_use=NULLABLE_FLAG, licence_terms=TEXT, revenue_limit_usd=NULLABLE_NUMBER, attribution=NULLABLE_TEXT,
        request=ANY, audio=NULLABLE_TEXT, midi=NULLABLE_TEXT, stems=NULLABLE_TEXT,
    ),
    "Tracks": _object(
        "tracks next_before", tracks=_list(_reference("Track")),
        next_before={"anyOf": [{"type": "integer"}, {"type": "null"}]},
    ),
    "Variations": _object(
        "parent jobs", parent=TEXT, jobs=_list(_object("id seed url", id=TEXT, seed={"type": "integer"}, url=TEXT))
    ),
}  # fmt: skip
"""Schemas besides those of the models that routes return."""

PROBLEM = "application/problem+json"
ERRORS: Mapping[str, tuple[str, str]] = {
    "huggingface": ("application/json", "HuggingFaceError"),
    "replicate": (PROBLEM, "Problem"),
    "models": (PROBLEM, "Problem"),
    "elevenlabs": ("application/json", "ElevenLabsError"),
    "openai": ("application/json", "OpenAIError"),
    "mcp": ("application/json", "RpcError"),
}
"""The media type and schema of an error per API; all others use our own."""
OUR_ERROR = ("application/json", "ErrorDocument")

MEANINGS: Mapping[int, str] = {
    400: "The body is malformed.",
    401: "The token is missing or invalid.",
    403: "The token does not permit this, or the request came from a web page of another origin.",
    404: "The resource does not exist.",
    409: "The current state does not allow it, or the idempotency key belongs to another request.",
    413: "The body is too large.",
    422: "A field of the request is invalid.",
    429: "The caller's rate limit or quota is reached.",
    500: "The server failed.",
    502: "A hosted model's service failed.",
    503: "The queue is full, memory is short, or the server is stopping.",
    507: "The disk is full.",
}
EVERYWHERE, WITH_A_BODY, GENERATING = (401, 403, 422, 429, 500, 503), (400, 413), (404, 409, 502, 507)
SECURITY: Mapping[str, Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token from `tunesmith token create`."},
    "key": {"type": "apiKey", "in": "header", "name": "xi-api-key", "description": "The same, as for ElevenLabs."},
}
OPTIONAL: list[Json] = [{}, *({name: []} for name in SECURITY)]
"""A server without tokens ignores them."""

FAILED = 400
HEALTH = "health"
FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")
METHOD: Json = {"type": "string", "maxLength": 256}
RPC_TYPES = "application/json, text/event-stream"
TOOL_CALL: Json = {
    "tags": ["MCP"],
    "summary": "The Model Context Protocol, with one tool that generates music",
    "parameters": [
        {"name": "Accept", "in": "header", "schema": {"type": "string", "enum": [RPC_TYPES]}, "required": True}
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _object(
                    "jsonrpc method", jsonrpc={"const": "2.0"}, id={}, method={**TEXT, "maxLength": 256}, params=ANY
                )
            }
        },
    },
    "responses": {"200": {"description": "The response."}},
}


def describe(app: FastAPI, public_url: str | None) -> None:
    """Replace the app's OpenAPI document by the complete one."""
    usual = app.openapi

    def described() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(usual(), public_url or "/")
        return app.openapi_schema

    # FastAPI documents this way to replace the OpenAPI document.
    app.openapi = described  # type: ignore[method-assign]


def _complete(document: Json, server: str) -> Json:
    document["paths"].setdefault("/mcp", {})["post"] = dict(TOOL_CALL)
    # The framework's own error schemas are left out: the server never answers with them.
    schemas = {name: one for name, one in document["components"]["schemas"].items() if name not in FRAMEWORKS_OWN}
    schemas |= SCHEMAS
    components = {"schemas": schemas, "securitySchemes": dict(SECURITY)}
    for name, path, spoken in _operations(document):
        # Shared schemas give generated clients one type in place of many copies.
        if "requestBody" in spoken:
            spoken["requestBody"] = _shared(spoken["requestBody"], schemas)
        _complete_operation(spoken, path, OPERATIONS.get(name) or Operation(spoken["operationId"]))
    about = {"servers": [{"url": server}], "security": OPTIONAL}
    return {**document, **about, "components": components}


def _shared(part: Any, schemas: Json) -> Any:
    """Return a part of the document with references in place of titled objects, which move to ``schemas``."""
    if isinstance(part, list):
        return [_shared(one, schemas) for one in part]
    if not isinstance(part, dict):
        return part
    part = {name: _shared(one, schemas) for name, one in part.items()}
    title = part.get("title")
    is_object = part.get("type") == "object" and "properties" in part and isinstance(title, str)
    return _reference(title) if is_object and schemas.setdefault(title, part) == part else part


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, spoken in methods.items():
            yield f"{method.upper()} {path}", path, spoken


def _complete_operation(spoken: Json, path: str, operation: Operation) -> None:
    spoken["operationId"] = operation.id
    if operation.is_open:
        spoken["security"] = []
    answers = {int(status): answer for status, answer in spoken["responses"].items() if int(status) < FAILED}
    if operation.answer is not None:
        answers[min(answers)]["content"] = dict(operation.answer)
    dialect = dialect_of(path)
    # Its responses report problems, but are not errors.
    if dialect == HEALTH:
        return
    media_type, schema = ERRORS.get(dialect, OUR_ERROR)
    content = {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    known = {int(status) for status in spoken["responses"]} - set(answers)
    statuses = known | _statuses(spoken, path, operation)
    answers |= {status: {"description": MEANINGS[status], "content": content} for status in statuses}
    spoken["responses"] = {str(status): answers[status] for status in sorted(answers)}


def _statuses(spoken: Json, path: str, operation: Operation) -> set[int]:
    """Return the status codes of possible errors."""
    statuses = set(EVERYWHERE)
    if "requestBody" in spoken:
        statuses |= set(WITH_A_BODY)
    if operation.generates:
        statuses |= set(GENERATING)
    return statuses | ({404} if "{" in path else set())
