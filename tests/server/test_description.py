"""The OpenAPI document: every route is in it under a name that stays, with what it takes, answers and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tunesmith.config import Settings
from tunesmith.request import GenerationRequest
from tunesmith.server.apis.routing import dialect_of
from tunesmith.server.app import create_app
from tunesmith.server.description import ERRORS, OPERATIONS, OUR_ERROR

PARAMETER = re.compile(r"\{(\w+)\}")
NAME = re.compile(r"[a-z]+([A-Z][a-z]+)*")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("described"), public_url="https://music.example"))


@pytest.fixture(scope="module")
def document(app: FastAPI) -> Any:
    return app.openapi()


@pytest.fixture(scope="module")
def operations(document: Any) -> dict[str, Any]:
    """Return what is said of each operation, by method and path."""
    return {
        f"{method.upper()} {path}": spoken
        for path, methods in document["paths"].items()
        for method, spoken in methods.items()
    }


def whole(document: Any, schema: Any) -> Any:
    """Return a schema with what its references lead to."""
    return {**schema, "components": document["components"]}


def test_every_operation_has_the_name_that_programs_call_it_by(operations: dict[str, Any]) -> None:
    assert {name: spoken["operationId"] for name, spoken in operations.items()} == {
        name: operation.id for name, operation in OPERATIONS.items()
    }
    names = [operation.id for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(name) for name in names)


def test_names_that_programs_have_been_generated_with_stay(operations: dict[str, Any]) -> None:
    kept = {
        "POST /api/generate": "generate", "POST /api/jobs": "createJob", "GET /api/jobs/{job_id}": "getJob",
        "GET /api/jobs/{job_id}/audio": "getJobAudio", "POST /v1/predictions": "createPrediction",
        "POST /v1/music": "composeMusic", "POST /v1/audio/speech": "createSpeech", "POST /models/{model}": "infer",
    }  # fmt: skip
    assert {name: operations[name]["operationId"] for name in kept} == kept


def test_every_route_is_in_the_document(app: FastAPI, operations: dict[str, Any]) -> None:
    routes = [route for route in app.routes if isinstance(route, APIRoute) and not route.path.startswith("/docs")]
    served = {f"{method} {route.path_format}" for route in routes for method in route.methods or ()}
    assert len(served) > len(OPERATIONS)
    assert served - set(operations) == {
        "HEAD /v1/outputs/{job_id}/{signature}/{name}", "GET /mcp", "DELETE /mcp",  # described by GET, by POST
        "GET /studio/{path}",  # the page's own files
    }  # fmt: skip


def test_every_parameter_of_a_path_is_defined_and_every_operation_summed_up(operations: dict[str, Any]) -> None:
    for name, spoken in operations.items():
        defined = {one["name"]: one for one in spoken.get("parameters", ()) if one["in"] == "path"}
        assert set(defined) == set(PARAMETER.findall(name)), name
        assert all(one["required"] and one["schema"]["type"] == "string" for one in defined.values())
        assert spoken["summary"], name
        assert name.startswith("POST ") <= ("requestBody" in spoken or name.endswith("/cancel")), name


def test_sound_is_binary_and_errors_have_the_shape_of_their_clients(operations: dict[str, Any]) -> None:
    for name, spoken in operations.items():
        path = name.split()[1]
        for status, answer in spoken["responses"].items():
            content = answer.get("content", {})
            if int(status) < 400:
                assert all(
                    one["schema"] == {"type": "string", "format": "binary"}
                    for kind, one in content.items() if kind.startswith("audio/")
                ), name  # fmt: skip
                assert all(one["schema"] for one in content.values()), name
                continue
            kind, schema = ERRORS.get(dialect_of(path), OUR_ERROR)
            if dialect_of(path) != "health":
                assert content == {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}, (name, status)
    sounding = {
        name for name, spoken in operations.items()
        if "audio/*" in spoken["responses"].get("200", {}).get("content", {})
    }  # fmt: skip
    assert {"POST /api/generate", "GET /api/jobs/{job_id}/audio", "POST /models/{model}", "POST /v1/music"} < sounding


def test_who_may_call_and_where_is_said(document: Any, operations: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "https://music.example"}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "key"}
    assert {"bearer": []} in document["security"]
    assert operations["GET /health/live"]["security"] == operations["GET /api/version"]["security"] == []
    assert "security" not in operations["POST /api/generate"]


def test_every_reference_leads_somewhere_and_nothing_of_the_framework_is_left(document: Any) -> None:
    text = json.dumps(document)
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert references <= set(document["components"]["schemas"])
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])
    assert "$defs" not in text
    assert ":meth:" not in text


@pytest.mark.parametrize("name", [
    "POST /api/generate", "POST /api/explain", "POST /v1/music", "POST /v1/sound-generation", "POST /v1/audio/speech",
    "POST /models/{model}", "POST /v1/predictions", "PATCH /api/tracks/{track_id}", "POST /api/models/pull",
])  # fmt: skip
def test_bodies_are_described_as_they_are_accepted(document: Any, operations: dict[str, Any], name: str) -> None:
    schema = operations[name]["requestBody"]["content"]["application/json"]["schema"]
    body = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    wanted = dict.fromkeys(body.get("required", ()), "x") | ({"input": {"prompt": "x"}} if "predict" in name else {})
    for field in set(body["properties"]) - set(wanted):
        jsonschema.validate({**wanted, field: None}, whole(document, schema))
    for field in wanted:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**wanted, field: None}, whole(document, schema))


def test_limits_are_those_that_hold(document: Any, operations: dict[str, Any]) -> None:
    schema = operations["POST /api/jobs"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(document["components"]["schemas"]["MusicRequest"]["properties"]) == {
        *GenerationRequest.model_fields, "format", "keep_alive", "priority", "commercial_safe", "revenue_below_limit",
    } - {"soundfont"}  # fmt: skip
    for field, value in (("duration", 0.5), ("seed", -2), ("tempo_bpm", 301), ("bars", 0), ("hits", [{"at": 1}]),
                         ("genre", "x" * 65), ("form", "opera"), ("sample_rate", 1), ("colour", "red"),
                         ("keep_alive", -2), ("priority", 11), ("format", "aac")):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"prompt": "x", field: value}, whole(document, schema))
    jsonschema.validate({"prompt": "x", "hits": [{"time": 1, "climax": None}], "seed": -1}, whole(document, schema))


def test_without_a_public_address_the_server_is_where_the_document_is(tmp_path: Path) -> None:
    assert create_app(Settings(data_dir=tmp_path)).openapi()["servers"] == [{"url": "/"}]
