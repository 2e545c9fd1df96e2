from __future__ import annotations

from pathlib import Path

import pytest
from fake_service import FakeService, fake_context
from live_server import app_of

from tunesmith.server.apis import elevenlabs, openai
from tunesmith.server.apis import v1_models as model_list
from tunesmith.server.apis.mcp import routes as mcp


@pytest.mark.parametrize(
    ("dialect", "paths"),
    [
        (elevenlabs, {"/v1/music", "/v1/music/stream", "/v1/sound-generation"}),
        (openai, {"/v1/audio/speech"}),
        (model_list, {"/v1/models", "/v1/models/{name}"}),
        (mcp, set()),
    ],
)
def test_every_route_is_described_in_the_document(dialect: object, paths: set[str], tmp_path: Path) -> None:
    router = dialect.router(fake_context(FakeService(tmp_path)))  # type: ignore[attr-defined]
    document = app_of(router, openai.errors).openapi()
    assert set(document["paths"]) == paths
    for operations in document["paths"].values():
        for method, operation in operations.items():
            assert method == "get" or operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
