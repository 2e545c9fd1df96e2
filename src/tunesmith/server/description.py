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

    ``is_open`` operations need no token; ``generates`` operations generate audio.
    """

    id: str
    answer: Mapping[str, Json] | None = None
    is_open: bool = False
    generates: bool = False


PREDICTION, TRACK = reference("Prediction"), reference("Track")
OPERATIONS: Mapping[str, Operation] = {
    "POST /api/generate": Operation("generate", MUSIC, generates=True),
    "POST /api/jobs": Operation("createJob", generates=True),
    "GET /api/jobs": Operation("listJobs"),
    "GET /api/jobs/{job_id}": Operation("getJob"),
    "DELETE /api/jobs/{job_id}": Operation("cancelJob"),
    "GET /api/jobs/{job_id}/audio": Operation("getJobAudio", MUSIC),
    "GET /api/jobs/{job_id}/events": Operation("followJob", EVENTS),
    "GET /api/jobs/{job_id}/score": Operation("getJobScore"),
    "POST /api/explain": Operation("explain"),
    "GET /api/ps": Operation("listLoadedModels"),
    "DELETE /api/ps/{name}": Operation("unloadModel"),
    "POST /api/edits": Operation("editSound", AUDIO),
    "GET /api/version": Operation("getVersion", is_open=True),
    "GET /api/tasks": Operation("listTasks"),
    "GET /api/models": Operation("listModels"),
    "GET /api/models/{name}": Operation("getModel"),
    "DELETE /api/models/{name}": Operation("removeModel"),
    "POST /api/models/pull": Operation("pullModel", EVENTS),
    "GET /api/tracks": Operation("listTracks", reference("Tracks")),
    "GET /api/tracks/{track_id}": Operation("getTrack", TRACK),
    "PATCH /api/tracks/{track_id}": Operation("markTrack", TRACK),
    "DELETE /api/tracks/{track_id}": Operation("forgetTrack"),
    "POST /api/tracks/{track_id}/variations": Operation("createVariations", generates=True),
    "POST /api/tracks/{track_id}/score-edits": Operation("editScore", generates=True),
    "GET /api/tracks/{track_id}/tree": Operation("getTrackTree", OBJECT),
    "GET /api/tracks/{track_id}/audio": Operation("getTrackAudio", MUSIC),
    "GET /api/tracks/{track_id}/score": Operation("getTrackScore"),
    "GET /api/tracks/{track_id}/peaks": Operation("getTrackPeaks"),
    "GET /api/tracks/{track_id}/midi": Operation("getTrackMidi", AUDIO, generates=True),
    "GET /api/tracks/{track_id}/score.yaml": Operation(
        "getTrackScoreFile", {"application/yaml": {"schema": {"type": "string"}}}, generates=True
    ),
    "GET /api/tracks/{track_id}/stems": Operation("getTrackStems", STEMS, generates=True),
    "GET /api/tracks/{track_id}/layers": Operation("getTrackLayers", STEMS, generates=True),
    "POST /v1/music": Operation("composeMusic", AUDIO, generates=True),
    "POST /v1/music/stream": Operation("streamMusic", AUDIO, generates=True),
    "POST /v1/sound-generation": Operation("generateSound", AUDIO, generates=True),
    "POST /v1/audio/speech": Operation("createSpeech", AUDIO_OR_EVENTS, generates=True),
    "GET /v1/outputs/{job_id}/{signature}/{name}": Operation("getPredictionOutput", AUDIO, is_open=True),
    "GET /v1/streams/{job_id}/{signature}": Operation("streamPrediction", EVENTS, is_open=True),
    "POST /v1/predictions": Operation("createPrediction", PREDICTION, generates=True),
    "GET /v1/predictions": Operation("listPredictions", OBJECT),
    "GET /v1/predictions/{prediction_id}": Operation("getPrediction", PREDICTION),
    "POST /v1/predictions/{prediction_id}/cancel": Operation("cancelPrediction", PREDICTION),
    "POST /v1/models/{owner}/{name}/predictions": Operation("createModelPrediction", PREDICTION, generates=True),
    "POST /v1/deployments/{owner}/{name}/predictions": Operation(
        "createDeploymentPrediction", PREDICTION, generates=True
    ),
    "POST /v1/models/{owner}/{name}/versions/{version}/predictions": Operation(
        "createVersionPrediction", PREDICTION, generates=True
    ),
    "POST /v1/files": Operation("uploadFile", OBJECT),
    "GET /v1/files": Operation("listFiles", OBJECT),
    "GET /v1/files/{file_id}": Operation("getFile", OBJECT),
    "DELETE /v1/files/{file_id}": Operation("deleteFile"),
    "GET /v1/files/{file_id}/download": Operation("downloadFile", {"application/octet-stream": BINARY}),
    "GET /v1/models/{owner}/{name}/versions": Operation("listModelVersions", OBJECT),
    "GET /v1/models/{owner}/{name}/versions/{version_id}": Operation("getModelVersion", OBJECT),
    "GET /v1/account": Operation("getAccount", OBJECT),
    "GET /v1/hardware": Operation("listHardware", LIST),
    "GET /v1/webhooks/default/secret": Operation("getWebhookSecret", OBJECT),
    "GET /v1/deployments": Operation("listDeployments", OBJECT),
    "GET /v1/deployments/{owner}/{name}": Operation("getDeployment", OBJECT),
    "GET /v1/models": Operation("listPublishedModels", OBJECT),
    "GET /v1/models/{name}": Operation("getPublishedModel", OBJECT),
    "GET /status/{model}": Operation("getModelStatus", OBJECT),
    "GET /models/{model}/health": Operation("getModelHealth", OBJECT),
    "GET /models/{model}/info": Operation("getModelInfo", OBJECT),
    "GET /info": Operation("getInfo", OBJECT),
    "POST /hf-inference/models/{model}": Operation("inferThroughRouter", AUDIO_OR_JSON, generates=True),
    "POST /models/{model}": Operation("infer", AUDIO_OR_JSON, generates=True),
    "POST /pipeline/{task}/{model}": Operation("inferTask", AUDIO_OR_JSON, generates=True),
    "POST /predict": Operation("predict", AUDIO_OR_JSON, generates=True),
    "POST /": Operation("inferDefault", AUDIO_OR_JSON, generates=True),
    "GET /": Operation("getFront", OBJECT, is_open=True),
    "POST /mcp": Operation("callTools", RPC, generates=True),
    "GET /health": Operation("getHealth", OBJECT, is_open=True),
    "GET /health/live": Operation("getLiveness", OBJECT, is_open=True),
    "GET /health/ready": Operation("getReadiness", OBJECT, is_open=True),
    "GET /metrics": Operation("getMetrics", PLAIN_TEXT),
}


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
        request=ANY, audio=NULLABLE_TEXT, midi=NULLABLE_TEXT, stems=NULLABLE_TEXT, layers=NULLABLE_TEXT,
        score=NULLABLE_TEXT, peaks=NULLABLE_TEXT, title=NULLABLE_TEXT,
        key=NULLABLE_TEXT, tempo_bpm=NULLABLE_NUMBER,
        figure={"anyOf": [_list(_list({"type": "integer"})), {"type": "null"}]},
    ),
    "Tracks": _object(
        "tracks next_before", tracks=_list(_reference("Track")),
        next_before={"anyOf": [{"type": "integer"}, {"type": "null"}]}, total={"type": "integer"},
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
