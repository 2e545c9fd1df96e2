"""The models as this API names them: owner, name, version."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from tunesmith.models.catalogue import catalogue

META_MUSICGEN = "meta/musicgen"
MUSICGEN_VERSION = "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
VERSION_CREATED = "2023-06-12T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model under the name ``owner/name``, with the id of its one version (64 hexadecimal digits)."""

    name: str
    asked: str
    version: str
    about: str


@cache
def published_models() -> tuple[PublishedModel, ...]:
    """Return every model there is, those most asked for first."""
    own = PublishedModel("tunesmith/composer", "composer", _version("composer"), "Composes on any machine at once.")
    musicgen = PublishedModel(META_MUSICGEN, META_MUSICGEN, MUSICGEN_VERSION, "Generate music from a prompt or melody.")
    pulled = [
        PublishedModel(entry.hub_id, entry.hub_id, _version(entry.hub_id), entry.about)
        for entry in catalogue().values()
    ]
    return (musicgen, own, *pulled)


def find_model(name: str) -> PublishedModel | None:
    """Find a model by ``owner/name``."""
    return next((model for model in published_models() if model.name == name.lower()), None)


def find_version(version: str) -> PublishedModel | None:
    """Find a model by a version's id, ``owner/name:id`` or ``owner/name``."""
    name, _, number = version.rpartition(":") if ":" in version else ("", "", version)
    if "/" in number:
        return find_model(number)
    found = next((model for model in published_models() if model.version == number), None)
    return found if found and name.lower() in ("", found.name) else None


def _version(name: str) -> str:
    return hashlib.sha256(f"tunesmith {name}".encode()).hexdigest()
