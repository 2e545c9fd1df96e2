"""Catalog: one record for every model: built in, of a plugin, installed, hosted elsewhere or ready to pull."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from tunesmith.config import load_settings
from tunesmith.errors import InvalidRequest, ModelNotInstalled, UnknownName
from tunesmith.hosted.model_names import is_hosted, read_name
from tunesmith.licences import FREE_TERMS, UNKNOWN_TERMS, LicenceTerms, terms_of
from tunesmith.models.factories import COMPOSER, find_factories, plays_live
from tunesmith.models.store import InstalledModel, Store


class Origin(StrEnum):
    """The origin of a model."""

    BUILT_IN = "built-in"
    PLUGIN = "plugin"
    INSTALLED = "installed"
    HOSTED = "hosted"
    PULLABLE = "pullable"


@dataclass(frozen=True, slots=True)
class OpenCopy:
    """A copy of a model that needs no account: the repository ``hub_id`` and the model's ``files`` in it."""

    hub_id: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of the catalog; unknown fields are None or empty.

    ``hub_id`` is the repository to pull it from, ``download_gb`` the size of that download in 10⁹ bytes, ``companions``
    the repositories with parts that its own lacks. If the model's own repository needs an account, ``open_copy`` is
    pulled in its place. ``parameters`` counts those of the decoder. ``accept_licence`` means that the licence must be
    accepted before the download. ``notice`` names whose the weights are, where the licence asks for that.
    ``could_play_live`` means that it plays live streams once it is pulled.
    """

    name: str
    origin: Origin
    kind: str
    licence: str | None = None
    terms: LicenceTerms = UNKNOWN_TERMS
    parameters: int | None = None
    hub_id: str | None = None
    aliases: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    open_copy: OpenCopy | None = None
    download_gb: float | None = None
    about: str = ""
    accept_licence: bool = False
    notice: str = ""
    could_play_live: bool = False
    installed: InstalledModel | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All names that a request may use for the model."""
        return (self.name, *((self.hub_id,) if self.hub_id else ()), *self.aliases)

    @property
    def is_ready(self) -> bool:
        """Whether the model can generate without being pulled first."""
        return self.origin is not Origin.PULLABLE

    @property
    def plays_live(self) -> bool:
        """Whether the model is here and plays live streams."""
        if self.installed is not None:
            return self.installed.manifest.sizes.plays_live
        return self.origin is Origin.PLUGIN and plays_live(self.name)

    @property
    def source(self) -> str | None:
        """The repository of the model; never a folder of this machine, which callers must not see."""
        source = self.installed.manifest.source if self.installed else None
        return self.hub_id or (str(source) if source and source.revision else None)


@cache
def pullable_models() -> Mapping[str, ModelInfo]:
    """Return the models that can be pulled by a short name, installed or not, in the order of ``pullable.yaml``."""
    # Only this table is YAML, so requests for other models do not wait for the parser.
    import yaml

    text = files("tunesmith.models").joinpath("pullable.yaml").read_text(encoding="utf-8")
    return MappingProxyType({name: _pullable_model(name, row) for name, row in yaml.safe_load(text).items()})


def _pullable_model(name: str, row: Mapping[str, Any]) -> ModelInfo:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    copy = fields.pop("open_copy", None)
    fields["open_copy"] = OpenCopy(copy["hub_id"], tuple(copy["files"])) if copy else None
    return ModelInfo(name, Origin.PULLABLE, terms=terms_of(row["licence"]), **fields)


def list_models() -> tuple[ModelInfo, ...]:
    """Return every model once: built in, of plugins, installed, hosted and ready to pull.

    Hosted models are those that the setting ``hosted_models`` names, because a service has too many to list.
    """
    installed = installed_models()
    # A model is listed once, in its most useful form: installed rather than pullable.
    taken = {model.name for model in installed}
    return (
        *(_factory_model(name) for name in sorted(find_factories()) if name not in taken),
        *installed,
        *_hosted_models(load_settings().hosted_models),
        *(model for model in pullable_models().values() if model.name not in taken),
    )


def installed_models() -> tuple[ModelInfo, ...]:
    """Return the installed models, sorted by name."""
    return tuple(_installed_model(model) for model in Store.default().models())


def find_listed(name: str) -> ModelInfo:
    """Return the listed model with this name, hub id or alias. Raises UnknownName with the nearest names.

    Unlike ``find_model``, it does not find a model by its source repository, which several models may share.
    """
    pullable = find_pullable(name)
    wanted = pullable.name if pullable else name
    found = next((model for model in list_models() if wanted in (model.name, model.source)), None)
    if found is None:
        raise unknown_model(name)
    return found


def find_model(name: str) -> ModelInfo | None:
    """Find the model that a request names: by name, hub id, alias, or source repository of an installed model.

    Reads as little of the disk as possible. Returns None for an unknown name. Raises InvalidRequest for a malformed
    hosted name, ModelFileError if the manifest of an installed model is broken.
    """
    if is_hosted(name):
        return _hosted_model(str(read_name(name)))
    if name in find_factories():
        return _factory_model(name)
    installed = find_installed(name)
    return _installed_model(installed) if installed else find_pullable(name)


def find_installed(name: str) -> InstalledModel | None:
    """Find an installed model by name, by an alias or hub id of the catalog, or by its source repository."""
    store, pullable = Store.default(), find_pullable(name)
    model = store.find(pullable.name if pullable else name)
    # Only a hub id has a slash, and reading every manifest is slow.
    if model or "/" not in name:
        return model
    return next((one for one in store.models() if one.manifest.source.location == name), None)


def find_pullable(name: str) -> ModelInfo | None:
    """Find a pullable model, installed or not, by name, hub id or alias; the case does not matter."""
    wanted = name.lower()
    return next((model for model in pullable_models().values() if wanted in model.names), None)


def unknown_model(name: str) -> UnknownName:
    """Return the error for an unknown model, with the nearest names."""
    return UnknownName("model", name, [model.name for model in list_models()])


def not_installed(model: ModelInfo) -> ModelNotInstalled:
    """Return the error for a model that must be pulled first."""
    return ModelNotInstalled(f"{model.name} is not installed; install it with: tunesmith pull {model.name}")


def _factory_model(name: str) -> ModelInfo:
    if name == COMPOSER:
        return ModelInfo(name, Origin.BUILT_IN, COMPOSER, terms=FREE_TERMS)
    return ModelInfo(name, Origin.PLUGIN, "plugin")


def _installed_model(model: InstalledModel) -> ModelInfo:
    manifest = model.manifest
    # The catalog knows the names, the manifest what was installed.
    known = pullable_models().get(model.name) or ModelInfo(model.name, Origin.INSTALLED, "")
    return replace(
        known, origin=Origin.INSTALLED, kind=manifest.sizes.kind, licence=manifest.licence,
        terms=manifest.terms, parameters=manifest.parameters, notice=manifest.notice, installed=model,
    )  # fmt: skip


def _hosted_models(open_models: Iterable[str]) -> Iterator[ModelInfo]:
    """Yield the hosted models that are open to callers by name; ``owner/*`` names no single model."""
    for name in open_models:
        if is_hosted(name) and not name.endswith("/*"):
            # A malformed name can never be requested, and must not hide the other models.
            with contextlib.suppress(InvalidRequest):
                yield _hosted_model(name)


def _hosted_model(name: str) -> ModelInfo:
    from tunesmith.hosted.capabilities import facts_of

    licence = facts_of(read_name(name)).licence
    return ModelInfo(name, Origin.HOSTED, "hosted", licence, terms_of(licence))
