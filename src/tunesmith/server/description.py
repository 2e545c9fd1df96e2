"""The OpenAPI document of the server: names, responses, errors and security of every operation.

Generated clients call operations by their names, so a name never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from tunesmith.server.apis.routing import dialect_of

Json = dict[str, Any]
BINARY: Json = {"schema": {"type": "string", "format": "binary"}}
AUDIO: Mapping[str, Json] = {"audio/*": BINARY}
MUSIC: Mapping[str, Json] = {"audio/*": BINARY, "application/zip": BINARY}
STEMS: Mapping[str, Json] = {"application/zip": BINARY}
EVENTS: Mapping[str, Json] = {"text/event-stream": {"schema": {"type": "string"}}}
OBJECT: Mapping[str, Json] = {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}
LIST: Mapping[str, Json] = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
PLAIN_TEXT: Mapping[str, Json] = {"text/plain": {"schema": {"type": "string"}}}
AUDIO_OR_JSON: Mapping[str, Json] = {**AUDIO, **LIST}
AUDIO_OR_EVENTS: Mapping[str, Json] = {**AUDIO, **EVENTS}
RPC: Mapping[str, Json] = {**OBJECT, **EVENTS}


def reference(schema: str) -> Mapping[str, Json]:
    """Return the content of a response that a schema of the document describes."""
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its ``id``, and the content of a successful ``answer`` (None: as the route declares).

    ``is_open`` operations need no token; ``is_made`` operations generate audio.
    """

    id: str
    answer: Mapping[str, Json] | None = None
    is_open: bool = False
    is_made: bool = False


def _named(name: str, answer: Mapping[str, Json] | None = None) -> Operation:
    return Operation(name, answer)


def _open(name: str, answer: Mapping[str, Json] | None = None) -> Operation:
    return Operation(name, answer, is_open=True)


def _created(name: str, answer: Mapping[str, Json] | None = None) -> Operation:
    return Operation(name, answer, is_made=True)


PREDICTION, TRACK = reference("Prediction"), reference("Track")
OPERATIONS: Mapping[str, Operation] = {
    "POST /api/generate": _created("generate", MUSIC),
    "POST /api/jobs": _created("createJob"),
    "GET /api/jobs": _named("listJobs"),
    "GET /api/jobs/{job_id}": _named("getJob"),
    "DELETE /api/jobs/{job_id}": _named("cancelJob"),
    "GET /api/jobs/{job_id}/audio": _named("getJobAudio", MUSIC),
    "GET /api/jobs/{job_id}/events": _named("followJob", EVENTS),
    "POST /api/explain": _named("explain"),
    "GET /api/ps": _named("listLoadedModels"),
    "GET /api/version": _open("getVersion"),
    "GET /api/tasks": _named("listTasks"),
    "GET /api/models": _named("listModels"),
    "GET /api/models/{name}": _named("getModel"),
    "DELETE /api/models/{name}": _named("removeModel"),
    "POST /api/models/pull": _named("pullModel", EVENTS),
    "GET /api/tracks": _named("listTracks", reference("Tracks")),
    "GET /api/tracks/{track_id}": _named("getTrack", TRACK),
    "PATCH /api/tracks/{track_id}": _named("markTrack", TRACK),
    "DELETE /api/tracks/{track_id}": _named("forgetTrack"),
    "POST /api/tracks/{track_id}/variations": _created("createVariations", reference("Variations")),
    "GET /api/tracks/{track_id}/audio": _named("getTrackAudio", MUSIC),
    "GET /api/tracks/{track_id}/midi": _created("getTrackMidi", AUDIO),
    "GET /api/tracks/{track_id}/stems": _created("getTrackStems", STEMS),
    "POST /v1/music": _created("composeMusic", AUDIO),
    "POST /v1/music/stream": _created("streamMusic", AUDIO),
    "POST /v1/sound-generation": _created("generateSound", AUDIO),
    "POST /v1/audio/speech": _created("createSpeech", AUDIO_OR_EVENTS),
    "GET /v1/outputs/{job_id}/{signature}/{name}": _open("getPredictionOutput", AUDIO),
    "GET /v1/streams/{job_id}/{signature}": _open("streamPrediction", EVENTS),
    "POST /v1/predictions": _created("createPrediction", PREDICTION),
    "GET /v1/predictions": _named("listPredictions", OBJECT),
    "GET /v1/predictions/{prediction_id}": _named("getPrediction", PREDICTION),
    "POST /v1/predictions/{prediction_id}/cancel": _named("cancelPrediction", PREDICTION),
    "POST /v1/models/{owner}/{name}/predictions": _created("createModelPrediction", PREDICTION),
    "POST /v1/deployments/{owner}/{name}/predictions": _created("createDeploymentPrediction", PREDICTION),
    "POST /v1/models/{owner}/{name}/versions/{version}/predictions": _created("createVersionPrediction", PREDICTION),
    "POST /v1/files": _named("uploadFile", OBJECT),
    "GET /v1/files": _named("listFiles", OBJECT),
    "GET /v1/files/{file_id}": _named("getFile", OBJECT),
    "DELETE /v1/files/{file_id}": _named("deleteFile"),
    "GET /v1/files/{file_id}/download": _named("downloadFile", {"application/octet-stream": BINARY}),
    "GET /v1/models/{owner}/{name}/versions": _named("listModelVersions", OBJECT),
    "GET /v1/models/{owner}/{name}/versions/{version_id}": _named("getModelVersion", OBJECT),
    "GET /v1/account": _named("getAccount", OBJECT),
    "GET /v1/hardware": _named("listHardware", LIST),
    "GET /v1/webhooks/default/secret": _named("getWebhookSecret", OBJECT),
    "GET /v1/deployments": _named("listDeployments", OBJECT),
    "GET /v1/deployments/{owner}/{name}": _named("getDeployment", OBJECT),
    "GET /v1/models": _named("listPublishedModels", OBJECT),
    "GET /v1/models/{name}": _named("getPublishedModel", OBJECT),
    "GET /status/{model}": _named("getModelStatus", OBJECT),
    "GET /models/{model}/health": _named("getModelHealth", OBJECT),
    "GET /models/{model}/info": _named("getModelInfo", OBJECT),
    "GET /info": _named("getInfo", OBJECT),
    "POST /hf-inference/models/{model}": _created("inferThroughRouter", AUDIO_OR_JSON),
    "POST /models/{model}": _created("infer", AUDIO_OR_JSON),
    "POST /pipeline/{task}/{model}": _created("inferTask", AUDIO_OR_JSON),
    "POST /predict": _created("predict", AUDIO_OR_JSON),
    "POST /": _created("inferDefault", AUDIO_OR_JSON),
    "GET /": _open("getFront", OBJECT),
    "POST /mcp": _created("callTools", RPC),
    "GET /health": _open("getHealth", OBJECT),
    "GET /health/live": _open("getLiveness", OBJECT),
    "GET /health/ready": _open("getReadiness", OBJECT),
    "GET /metrics": _named("getMetrics", PLAIN_TEXT),
}


NULLABLE_TEXT: Json = {"anyOf": [{"type": "string"}, {"type": "null"}]}
NULLABLE_NUMBER: Json = {"anyOf": [{"type": "number"}, {"type": "null"}]}
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
    401: "The token is missing or wrong.",
    403: "The token may not do this, or a web page elsewhere asked.",
    404: "There is no such thing.",
    409: "It cannot be done now, or not with this idempotency key.",
    413: "The body is too large.",
    422: "A field of the request is wrong.",
    429: "The caller has asked for more than it may.",
    500: "The server failed.",
    502: "A hosted model's service failed.",
    503: "The queue is full, memory is short, or the server is stopping.",
    507: "The disk is full.",
}
EVERYWHERE, WITH_A_BODY, MADE = (401, 403, 422, 429, 500, 503), (400, 413), (404, 409, 502, 507)
SECURITY: Mapping[str, Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of tunesmith token create."},
    "key": {"type": "apiKey", "in": "header", "name": "xi-api-key", "description": "The same, as ElevenLabs has it."},
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
    "summary": "The Model Context Protocol, whose one tool makes music",
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
    "responses": {"200": {"description": "The answer."}},
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
    if operation.is_made:
        statuses |= set(MADE)
    return statuses | ({404} if "{" in path else set())
