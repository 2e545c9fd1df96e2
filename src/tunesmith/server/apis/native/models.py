"""Models: list, pull and remove them, also for Hugging Face's clients, which send such requests to the address in
``HF_ENDPOINT``.

They read a model at ``/api/models/{id}``, which is also a path of our own API: one object serves both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from tunesmith.errors import InvalidRequest, UnknownName
from tunesmith.fields import MAX_CHARACTERS, GivenFields, ModelName
from tunesmith.models.catalog import ModelInfo, find_listed, installed_models, list_models
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import Store
from tunesmith.server.apis.extensions import music_fields
from tunesmith.server.apis.huggingface.request import DEFAULT_MODEL
from tunesmith.server.apis.native.jobs import EVENTS, encoded
from tunesmith.server.apis.native.schemas import (
    AvailableModel,
    ErrorDetail,
    ErrorDocument,
    FieldDocument,
    ModelDocument,
    ModelsDocument,
    PullProgress,
    errors,
    responses,
)
from tunesmith.server.apis.request_body import documented, read_body
from tunesmith.server.apis.responses import SILENCE_SECONDS, STILL_HERE, event_stream, sse_event
from tunesmith.server.auth import require_admin
from tunesmith.server.context import ApiContext
from tunesmith.server.model_pulls import Pull, Pulls

TASK = "text-to-audio"
LIBRARY = "tunesmith"
REVISION = "/revision/"
EXPAND = ("expand", "expand[]")
PROVIDER_MAPPING = "inferenceProviderMapping"
REPOSITORY_NOT_FOUND = "RepoNotFound"
"""The error code by which huggingface_hub recognises a missing model."""


class OneModelDocument(ModelDocument):
    """A model in our format and in that of Hugging Face's hub: ``id``, ``pipeline_tag`` and the fields after them."""

    id: str = Field(description="The name in the request.")
    author: str | None
    pipeline_tag: str
    library_name: str
    tags: list[str]
    private: bool
    gated: bool
    disabled: bool
    downloads: int
    likes: int


class NoProviderMapping(InvalidRequest, code="NoProviderMapping"):
    """The refusal of a lookup of inference providers, which huggingface_hub would call at Hugging Face itself."""

    def __init__(self, address: str) -> None:
        super().__init__(
            "expand",
            f"{PROVIDER_MAPPING} is not supported: huggingface_hub sends inference to router.huggingface.co whatever "
            f"HF_ENDPOINT says; name this server as the model instead: InferenceClient(model={address!r})",
        )
        self.headers = _error_headers(self.problem)


def add_hub(routes: APIRouter, known: Any) -> None:
    """Add the route that only Hugging Face's clients use."""

    @routes.get(
        "/api/tasks", dependencies=known, responses=responses(), summary="The model to use for each task",
        response_model=dict[str, dict[str, Any]],
    )  # fmt: skip
    async def tasks() -> Response:
        return JSONResponse({TASK: {"id": TASK, "widgetModels": [DEFAULT_MODEL], "libraries": [LIBRARY]}})


def model_id(path: str) -> str:
    """Return the model that the rest of a path names, without a revision, which has no meaning here."""
    return path.partition(REVISION)[0]


def refuse_provider_mapping(request: Request, name: str, origin: str) -> None:
    """Raise NoProviderMapping if a client looks for an inference provider of a model."""
    requested = [value for key, value in request.query_params.multi_items() if key in EXPAND]
    # Without this error the client would send the prompt to Hugging Face.
    if PROVIDER_MAPPING in requested:
        raise NoProviderMapping(f"{origin.rstrip('/')}/models/{name}")


def hub_document(name: str, document: ModelDocument) -> OneModelDocument:
    """Return a model in both formats, under the requested name."""
    author, slash, _ = name.rpartition("/")
    # The hub states licences as tags like this.
    licence = [f"license:{document.licence}"] if document.licence else []
    theirs: Mapping[str, Any] = {
        "id": name, "author": author if slash else None, "pipeline_tag": TASK, "library_name": LIBRARY,
        # Fields that huggingface_hub reads; most carry no information here.
        "tags": [TASK, LIBRARY, *licence], "private": False, "gated": False, "disabled": False, "downloads": 0,
        "likes": 0,
    }  # fmt: skip
    return OneModelDocument(**document.model_dump(), **theirs)


def not_found(error: UnknownName) -> Response:
    """Return the error with the headers by which huggingface_hub recognises a missing model."""
    answer = errors(error)
    answer.headers.update({**_error_headers(str(error)), "x-error-code": REPOSITORY_NOT_FOUND})
    return answer


def _error_headers(message: str) -> dict[str, str]:
    """Return the header that Hugging Face's clients show: one line of ASCII."""
    text = " ".join(message.split())
    return {"x-error-message": text.encode("ascii", "backslashreplace").decode()}


MODELS = "/api/models"
BYTES_A_GIGABYTE = 10**9


class PullBody(GivenFields):
    """The request body of a pull: ``model`` is a catalog name or a hub id, ``name`` the local name.

    ``accept_licence`` accepts the licence of a model whose ``accept_licence`` is true.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName
    name: ModelName | None = None
    quantization: Annotated[str, Field(max_length=MAX_CHARACTERS["quantization"])] = "int8"
    revision: Annotated[str, Field(max_length=MAX_CHARACTERS["revision"])] | None = None
    keep_download: bool = False
    accept_licence: bool = False

    def request(self) -> PullRequest:
        """Return the pull request, without the right to name folders of this machine."""
        # A folder would let a caller probe the file system of the server.
        return PullRequest(**self.model_dump(exclude={"model"}), source=self.model, folders=False)


def add_models(routes: APIRouter, context: ApiContext, pulls: Pulls) -> None:
    """Add the routes for models."""
    # Pulling and removing a model affects every caller of the server.
    known, admin = [Depends(context.authenticate)], [Depends(require_admin(context.authenticate))]
    add_hub(routes, known)

    @routes.get(
        MODELS, dependencies=known, summary="The models that are installed or can be pulled",
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


def _fields(names: Collection[str]) -> list[FieldDocument]:
    # The other schema of each is that of null.
    schemas = {name: field["anyOf"][0] for name, field in music_fields(names).items()}
    return [
        FieldDocument(name=name, type=schema["type"], minimum=schema.get("minimum"), maximum=schema.get("maximum"))
        for name, schema in schemas.items()
    ]


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
        **model.terms.to_json(),
        accept_licence=model.accept_licence,
        notice=model.notice or None,
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
        abilities=list(sizes.abilities) if sizes else [],
        fields=_fields(sizes.fields) if sizes else [],
        plays_live=model.plays_live,
    )
