"""The status, health and description of a model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

import tunesmith
from tunesmith.server.apis.huggingface.request import DEFAULT_MODEL, MUSICGEN_RATE
from tunesmith.server.context import ApiContext

COMPUTE_TYPE = "cpu"


def add_about(routes: APIRouter, context: ApiContext) -> None:
    """Add the routes; each returns 404 for a model that cannot serve requests."""

    @routes.get("/status/{model:path}", summary="Whether a model is loaded")
    async def status(model: str) -> dict[str, Any]:
        loaded = await context.loading.is_ready(model.strip("/"))
        state = "Loaded" if loaded else "Loadable"
        return {"loaded": loaded, "state": state, "compute_type": COMPUTE_TYPE, "framework": "tunesmith"}

    @routes.get("/models/{model:path}/health", summary="Whether a model accepts requests")
    async def health(model: str) -> dict[str, str]:
        await context.loading.is_ready(model)
        return {"status": "ok"}

    @routes.get("/models/{model:path}/info", summary="Information about a model")
    async def info_of_model(model: str) -> dict[str, Any]:
        return await info(model)

    @routes.get("/info", summary="Information about the default model, as at an Inference Endpoint")
    async def info(model: str = DEFAULT_MODEL) -> dict[str, Any]:
        resolved = await context.loading.resolved_model(model)
        return {
            "model_id": model, "model_pipeline_tag": "text-to-audio", "model_device_type": COMPUTE_TYPE,
            "sampling_rate": MUSICGEN_RATE, "generated_by": resolved.generated_by,
            "is_stand_in": resolved.is_fallback, "loaded": context.loading.is_loaded(resolved.generated_by),
            "router": "tunesmith", "version": tunesmith.__version__,
        }  # fmt: skip
