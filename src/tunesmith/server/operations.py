"""Operations: the name and response of every operation in the OpenAPI document.

Generated clients call operations by these names, so a name never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
BINARY: Json = {"schema": {"type": "string", "format": "binary"}}
AUDIO: Mapping[str, Json] = {"audio/*": BINARY}
MUSIC: Mapping[str, Json] = {"audio/*": BINARY, "application/zip": BINARY}
STEMS: Mapping[str, Json] = {"application/zip": BINARY}
EVENTS: Mapping[str, Json] = {"text/event-stream": {"schema": {"type": "string"}}}
OBJECT: Mapping[str, Json] = {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}
LIST: Mapping[str, Json] = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
TEXT: Mapping[str, Json] = {"text/plain": {"schema": {"type": "string"}}}
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


def _named(name: str, answer: Mapping[str, Json] | None = None) -> Operation:
    return Operation(name, answer)


def _open(name: str, answer: Mapping[str, Json] | None = None) -> Operation:
    return Operation(name, answer, is_open=True)


def _created(name: str, answer: Mapping[str, Json] | None = None) -> Operation:
    return Operation(name, answer, generates=True)


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
    "GET /metrics": _named("getMetrics", TEXT),
}
