"""Hub compatibility: the requests about models that Hugging Face's clients send to the address in ``HF_ENDPOINT``.

They read a model at ``/api/models/{id}``, which is also a path of our own API: one object serves both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from tunesmith.errors import InvalidRequest, UnknownName
from tunesmith.server.apis.huggingface.request import DEFAULT_MODEL
from tunesmith.server.apis.native.errors import errors, responses
from tunesmith.server.apis.native.schemas import ModelDocument

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
