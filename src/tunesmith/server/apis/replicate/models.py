"""The models of Replicate's API: owner, name and version; the account, hardware and deployments.

Models of the catalog have their hub ids; other installed models too, or else ``tunesmith/NAME``. ``v1_models.py`` lists
the models, for OpenAI's clients too.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from tunesmith.models.catalog import Origin, list_models, pullable_models
from tunesmith.models.factories import COMPOSER
from tunesmith.server.apis.replicate.errors import Json, ProblemDetail
from tunesmith.server.apis.replicate.input_schema import openapi_schema
from tunesmith.server.apis.replicate.response import caller_of
from tunesmith.server.apis.replicate.url_signing import Secret
from tunesmith.server.errors import Forbidden
from tunesmith.server.webhooks import secret_text

HARDWARE = ({"name": "This machine", "sku": "local"},)


class Account:
    """The handlers of the account routes; every model has a deployment of the same name."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to the router."""
        router.add_api_route("/account", self.account, methods=["GET"])
        router.add_api_route("/hardware", self.hardware, methods=["GET"])
        router.add_api_route("/webhooks/default/secret", self.webhook_secret, methods=["GET"])
        router.add_api_route("/deployments", self.deployments, methods=["GET"])
        router.add_api_route("/deployments/{owner}/{name}", self.deployment, methods=["GET"])

    async def account(self, request: Request) -> Response:
        """Return the caller's account."""
        # Without tokens there is a single, local user.
        name = caller_of(request).owner or "local"
        return JSONResponse({"type": "user", "username": name, "name": name, "github_url": None})

    async def hardware(self) -> Response:
        """List the hardware."""
        return JSONResponse(list(HARDWARE))

    async def webhook_secret(self, request: Request) -> Response:
        """Return the key that signs the caller's webhooks."""
        caller = caller_of(request)
        # Anyone who holds the key can forge webhooks.
        if caller.is_anonymous:
            raise Forbidden("callers without a token have no webhook key, because their IP address may change")
        return JSONResponse({"key": secret_text(self._secret.webhook_key(caller.owner))})

    async def deployments(self) -> Response:
        """List the deployments."""
        shown = [_deployment(model) for model in await asyncio.to_thread(published_models)]
        return JSONResponse({"previous": None, "next": None, "results": shown})

    async def deployment(self, owner: str, name: str) -> Response:
        """Return a deployment."""
        model = await asyncio.to_thread(find_model, f"{owner}/{name}")
        if model is None:
            raise ProblemDetail(404, f"There is no deployment {f'{owner}/{name}'[:80]!r}.")
        return JSONResponse(_deployment(model))


def _deployment(model: PublishedModel) -> Json:
    owner, _, name = model.name.partition("/")
    release = {
        "number": 1, "model": model.name, "version": model.version, "created_at": "2023-06-12T00:00:00.000Z",
        "created_by": {"type": "organization", "username": owner, "name": owner, "github_url": None},
        "configuration": {"hardware": "local", "min_instances": 0, "max_instances": 1},
    }  # fmt: skip
    return {"owner": owner, "name": name, "current_release": release}


OWNER = "tunesmith"
META_MUSICGEN = "meta/musicgen"
MUSICGEN_VERSION = "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
PUBLIC_VERSIONS = (
    MUSICGEN_VERSION,
    "b05b1dff1d8c6dc63d14b0cdb42135378dcb87f6373b0d3d341ede46e59e2b38",
    "7a76a8258b23fae65c5a22debb8841d1d7e816b75c2f24218cd2bd8573787906",
    "7be0f12c54a8d033a0fbd14418c9af98962da9a86f5ff7811f9b3423a1f0b7d7",
)
"""Public versions of meta/musicgen that existing programs pin; clients send such an id without the model's name."""

OTHER_NAMES = {
    "facebookresearch/musicgen": META_MUSICGEN,
    "stability-ai/stable-audio-2.5": "stabilityai/stable-audio-3-small-music",
    "stackadoc/stable-audio-open-1.0": "stabilityai/stable-audio-open-1.0",
}
"""Names that programs send for models at Replicate, and the model here that serves them."""
VERSION_CREATED = "2023-06-12T00:00:00.000Z"
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)
_VERSION_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model under the name ``owner/name``, with the id of its only version (64 hexadecimal digits)."""

    name: str
    name_here: str
    version: str
    about: str


def published_models() -> tuple[PublishedModel, ...]:
    """Return all models, the most requested first; it reads the disk, so call it in a thread."""
    return (*_builtin_models(), *_installed_models())


@cache
def _builtin_models() -> tuple[PublishedModel, ...]:
    own = PublishedModel(f"{OWNER}/composer", COMPOSER, _version("composer"), "Composes on any machine, no download.")
    musicgen = PublishedModel(META_MUSICGEN, META_MUSICGEN, MUSICGEN_VERSION, "Generate music from a prompt or melody.")
    pulled = [
        PublishedModel(model.hub_id, model.hub_id, _version(model.hub_id), model.about)
        for model in pullable_models().values()
        if model.hub_id
    ]
    return (musicgen, own, *pulled)


def _installed_models() -> Iterator[PublishedModel]:
    """Yield the generators of plugins, and installed models that are not in the catalog."""
    for model in list_models():
        if model.origin is Origin.PLUGIN:
            yield _named(model.name, model.name, "A generator installed on this server.")
        elif model.installed and not model.hub_id:
            source = model.installed.manifest.source.location
            yield _named(source if _HUB_ID.fullmatch(source) else model.name, model.name, f"Converted from {source}.")


def _named(name: str, name_here: str, about: str) -> PublishedModel:
    full = name if "/" in name else f"{OWNER}/{name}"
    return PublishedModel(full, name_here, _version(full), about)


def find_model(name: str) -> PublishedModel | None:
    """Return the model named ``owner/name``, or ``tunesmith/name`` by its name on this server, or None.

    It reads the disk, so call it in a thread.
    """
    wanted = OTHER_NAMES.get(name.lower(), name.lower())
    names = (wanted, wanted.removeprefix(f"{OWNER}/"))
    models = published_models()
    return next((model for model in models if model.name.lower() in names or model.name_here == names[1]), None)


def find_version(version: str, name: str = "") -> PublishedModel | None:
    """Return the model of a version's id, ``owner/name:id`` or ``owner/name``, or None.

    With the model's ``name``, any well-formed id selects the only version here. It reads the disk, so call it in a
    thread.
    """
    # Clients send all three forms in the one field ``version``.
    before, _, number = version.rpartition(":") if ":" in version else (name, "", version)
    if "/" in number:
        return find_model(number)
    if before:
        model = find_model(before)
        return model if model and runs_for(model, number) else None
    # Programs pin any of the public versions; one serves them all here.
    known = MUSICGEN_VERSION if number in PUBLIC_VERSIONS else number
    return next((model for model in published_models() if model.version == known), None)


def runs_for(model: PublishedModel, version: str) -> bool:
    """Return whether a model serves a version's id: its own, or any that existing programs may pin."""
    return version == model.version or _VERSION_ID.fullmatch(version) is not None


def version_note(model: PublishedModel, version: str) -> str | None:
    """Return the note for a caller that requested another version than the one that runs, or None."""
    number = version.rpartition(":")[2]
    if number == model.version or not _VERSION_ID.fullmatch(number):
        return None
    return f"Version {number[:8]} is not installed; version {model.version[:8]} of {model.name} is used"


def _version(name: str) -> str:
    # Derived from the name, so that it stays the same across servers and restarts.
    return hashlib.sha256(f"tunesmith {name}".encode()).hexdigest()


class Models:
    """The handlers of the routes for versions."""

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to the router."""
        router.add_api_route("/models/{owner}/{name}/versions", self.versions, methods=["GET"])
        router.add_api_route("/models/{owner}/{name}/versions/{version_id}", self.version, methods=["GET"])

    async def versions(self, owner: str, name: str) -> Response:
        """List the only version of a model."""
        return JSONResponse({"previous": None, "next": None, "results": [version_json(await named_model(owner, name))]})

    async def version(self, owner: str, name: str, version_id: str) -> Response:
        """Return a version, with the OpenAPI schema that clients read."""
        model = await named_model(owner, name, version_id)
        # The client expects the id that it sent.
        return JSONResponse({**version_json(model), "id": version_id})


def model_json(model: PublishedModel, origin: str) -> Json:
    """Return a model as a JSON object of Replicate's API."""
    owner, _, name = model.name.partition("/")
    return {
        "url": f"{origin}/v1/models/{model.name}", "owner": owner, "name": name, "description": model.about,
        "visibility": "public", "github_url": None, "paper_url": None, "license_url": None, "run_count": 0,
        "cover_image_url": None, "default_example": None, "latest_version": version_json(model),
    }  # fmt: skip


def version_json(model: PublishedModel) -> Json:
    """Return a version as a JSON object of Replicate's API."""
    return {
        "id": model.version, "created_at": VERSION_CREATED, "cog_version": "0.8.3", "openapi_schema": openapi_schema(),
    }  # fmt: skip


async def named_model(owner: str, name: str, version: str | None = None) -> PublishedModel:
    """Return the model, which must have the version if one is given. Raises ProblemDetail (404)."""
    model = await asyncio.to_thread(find_model, f"{owner}/{name}")
    if model is None:
        raise ProblemDetail(404, f"There is no model {f'{owner}/{name}'[:80]!r} here; GET /v1/models lists them.")
    if version is not None and not runs_for(model, version):
        raise ProblemDetail(404, f"There is no version {version[:80]!r} of {model.name}.")
    return model
