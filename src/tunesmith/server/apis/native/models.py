"""Models: list, pull and remove them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from tunesmith.errors import UnknownName
from tunesmith.fields import MAX_CHARACTERS, GivenFields, ModelName
from tunesmith.models.catalog import ModelInfo, find_listed, installed_models, list_models
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import Store
from tunesmith.server.apis.native.errors import responses
from tunesmith.server.apis.native.hub import (
    OneModelDocument,
    add_hub,
    hub_document,
    model_id,
    not_found,
    refuse_provider_mapping,
)
from tunesmith.server.apis.native.jobs import EVENTS, encoded
from tunesmith.server.apis.native.schemas import (
    AvailableModel,
    ErrorDetail,
    ErrorDocument,
    ModelDocument,
    ModelsDocument,
    PullProgress,
)
from tunesmith.server.apis.request_body import documented, read_body
from tunesmith.server.apis.responses import SILENCE_SECONDS, STILL_HERE, event_stream, sse_event
from tunesmith.server.auth import require_admin
from tunesmith.server.context import ApiContext
from tunesmith.server.model_pulls import Pull, Pulls

MODELS = "/api/models"
BYTES_A_GIGABYTE = 10**9


class PullBody(GivenFields):
    """The request body of a pull: ``model`` is a catalog name or a hub id, ``name`` the local name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName
    name: ModelName | None = None
    quantization: Annotated[str, Field(max_length=MAX_CHARACTERS["quantization"])] = "int8"
    revision: Annotated[str, Field(max_length=MAX_CHARACTERS["revision"])] | None = None
    keep_download: bool = False

    def request(self) -> PullRequest:
        """Return the pull request, without the right to name folders of this machine."""
        # A folder would let a caller probe the file system of the server.
        return PullRequest(self.model, self.name, self.quantization, self.revision, self.keep_download, folders=False)


def add_models(routes: APIRouter, context: ApiContext, pulls: Pulls) -> None:
    """Add the routes for models."""
    # Pulling and removing a model affects every caller of the server.
    known, admin = [Depends(context.authenticate)], [Depends(require_admin(context.authenticate))]
    add_hub(routes, known)

    @routes.get(
        MODELS, dependencies=known, summary="The models that are here or can be pulled",
        response_model=ModelsDocument, responses=responses(),
    )  # fmt: skip
    async def models() -> Response:
        loaded = {one.model for one in context.loading.loaded()}
        # Reads manifests from the disk.
        found = await asyncio.to_thread(list_models)
        return encoded(ModelsDocument(models=[_document(model, loaded) for model in found]))

    @routes.get(
        MODELS + "/{name:path}", dependencies=known, summary="A model, by its name, hub id or alias",
        response_model=OneModelDocument, responses=responses(404, 422),
    )  # fmt: skip
    async def model(request: Request, name: str) -> Response:
        name = model_id(name)
        refuse_provider_mapping(request, name, context.settings.public_url or str(request.base_url))
        loaded = {one.model for one in context.loading.loaded()}
        try:
            found = await asyncio.to_thread(find_listed, name)
        except UnknownName as error:
            # Not through the error table: huggingface_hub needs headers of its own.
            return not_found(error)
        return encoded(hub_document(name, _document(found, loaded)))

    @routes.post(
        MODELS + "/pull", dependencies=admin, openapi_extra=documented(PullBody), summary="Install a model",
        response_class=Response, responses={**EVENTS, **responses(403, 404, 409, 422, 503)},
    )  # fmt: skip
    async def pull(request: Request) -> Response:
        body = await read_body(request, PullBody)
        return event_stream(_progress_events(await pulls.begin(body.request())))

    @routes.delete(
        MODELS + "/{name:path}", dependencies=admin, summary="Remove an installed model", status_code=204,
        responses=responses(403, 404),
    )  # fmt: skip
    async def remove(name: str) -> Response:
        await asyncio.to_thread(_remove, name)
        return Response(status_code=204)


async def _progress_events(pull: Pull) -> AsyncIterator[str]:
    """Yield the events of a pull; a caller that disconnects ends it."""
    try:
        while True:
            message = await pull.next(SILENCE_SECONDS)
            yield STILL_HERE if message is None else _event(message)
            if message and {"installed", "failed"} & set(message):
                return
    finally:
        # Also when the caller disconnects, because no other caller follows this pull.
        await pull.stop()


def _event(message: Mapping[str, Any]) -> str:
    if "offer" in message:
        return sse_event("offer", AvailableModel(**message["offer"]))
    if "progress" in message:
        return sse_event("progress", PullProgress(stage=message["stage"], progress=message["progress"]))
    if "installed" in message:
        return sse_event("done", Installed(name=message["installed"]))
    detail = ErrorDetail(type=message["failed"], message=message["message"], field=message["field"])
    return sse_event("error", ErrorDocument(error=detail))


class Installed(BaseModel):
    """The model that a pull installed."""

    name: str


def _remove(name: str) -> None:
    model = find_listed(name)
    if model.installed is None:
        raise UnknownName("model", name, [one.name for one in installed_models()])
    Store.default().remove(model.name)


def _document(model: ModelInfo, loaded: set[str]) -> ModelDocument:
    manifest = model.installed.manifest if model.installed else None
    sizes = manifest.sizes if manifest else None
    return ModelDocument(
        name=model.name,
        kind=model.kind,
        installed=model.is_ready,
        loaded=model.name in loaded,
        aliases=list(model.names[1:]),
        licence=model.licence,
        commercial_use=model.commercial_use,
        parameters=model.parameters,
        about=model.about or None,
        quantization=manifest.quantization if manifest else None,
        bytes=manifest.bytes if manifest else None,
        download_bytes=round(model.download_gb * BYTES_A_GIGABYTE) if model.download_gb else None,
        source=model.source,
        digest=manifest.digest if manifest else None,
        sample_rate=sizes.sample_rate if sizes else None,
        channels=sizes.audio_channels if sizes else None,
        follows_melodies=sizes.melody if sizes else None,
    )
