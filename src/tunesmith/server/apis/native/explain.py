"""Explanations: what the composer would make of a request for music, before anything is made."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tunesmith.jobs.service import for_fallback
from tunesmith.models.factories import COMPOSER
from tunesmith.request import GenerationRequest
from tunesmith.server.apis.native.explanation_schemas import ExplanationDocument
from tunesmith.server.apis.native.jobs import encoded
from tunesmith.server.apis.native.request import RequestParser, documented_explanation
from tunesmith.server.apis.native.schemas import responses
from tunesmith.server.auth import Caller


def add_explain(routes: APIRouter, parser: RequestParser, whose: Any) -> None:
    """Add the route for explanations; ``whose`` is the dependency that returns the caller."""

    @routes.post(
        "/api/explain", openapi_extra=documented_explanation(), responses=responses(422),
        summary="What the composer makes of a request", response_model=ExplanationDocument,
    )  # fmt: skip
    async def explain(request: Request, caller: Caller = whose) -> Response:
        return encoded(await asyncio.to_thread(_explanation, *await parser.read_music(request, caller)))


def _explanation(request: GenerationRequest, sent: str) -> ExplanationDocument:
    # The composer's tables load only on demand.
    from tunesmith.composer.check_request import check_request
    from tunesmith.composer.explanation.explain import explain

    notes: list[str] = []
    if request.model != COMPOSER:
        # The composer explains what it would make in the place of the model.
        request, dropped = for_fallback(request)
        notes = [f"{name}: the composer does not read it" for name in dropped]
    # A seed of -1 asks for a drawn one; without any, the same prompt is explained the same way each time.
    is_random = "seed" in request.model_fields_set and request.seed is None
    seed = (request.with_drawn_seed() if is_random else request.with_seed(0)).seed
    brief, found = check_request(request.with_seed(seed or 0)), explain(request, sent, seed or 0)
    found = replace(found, warnings=(*found.warnings, *notes))
    return ExplanationDocument(prompt=request.prompt, reasons=brief.explanation()["reasons"], **asdict(found))
