"""The models of Replicate's API: owner, name and version.

Models of the catalog have their hub ids; other installed models too, or else ``tunesmith/NAME``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tunesmith.models.catalog import Origin, list_models, pullable_models
from tunesmith.models.factories import COMPOSER

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

# Another name of the model, which some programs send.
OTHER_NAMES = {"facebookresearch/musicgen": META_MUSICGEN}
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
