"""ModelBook: every model that is here or can be pulled, described alike."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.config import load_settings
from tunesmith.errors import UnknownName
from tunesmith.generator import Registry
from tunesmith.hosted.model_names import is_hosted
from tunesmith.models.hosted_generators import licence_of, named_ones
from tunesmith.models.licences import allows_commercial_use
from tunesmith.models.pullable import CatalogueEntry, catalogue, find_entry
from tunesmith.models.store import InstalledModel, Store

COMPOSER = "composer"
ABOUT_COMPOSER = "Writes, plays and mixes a score; exact tempo, key and length; any processor, no download."


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model by its ``name``: ``installed`` from a checkpoint, in the catalogue (``entry``), or both.

    One that is neither is built in, or hosted elsewhere.
    """

    name: str
    installed: InstalledModel | None = None
    entry: CatalogueEntry | None = None

    @property
    def is_here(self) -> bool:
        """Whether it can make music now."""
        return self.installed is not None or self.entry is None

    @property
    def licence(self) -> str | None:
        """The licence of what it makes, as far as it is known."""
        if self.installed:
            return self.installed.manifest.licence
        if is_hosted(self.name):
            return licence_of(self.name)
        return self.entry.licence if self.entry else None

    @property
    def commercial_use(self) -> bool | None:
        """Whether what it makes may be used commercially; None where nobody knows."""
        if self.installed:
            return self.installed.manifest.commercial_use
        if self.licence:
            return allows_commercial_use(self.licence)
        return True if self.name == COMPOSER else None

    @property
    def source(self) -> str | None:
        """The repository it comes from; never a folder of this machine."""
        if self.entry:
            return self.entry.hub_id
        source = self.installed.manifest.source if self.installed else None
        return str(source) if source and source.revision else None


def known_models(store: Store) -> tuple[ModelInfo, ...]:
    """Return the built-in models, the installed ones, the hosted ones that callers may use, and what can be pulled."""
    installed = {model.name: model for model in store.models()}
    return (
        *(ModelInfo(name) for name in Registry.discover().names() if name not in installed),
        *(ModelInfo(name, model, find_entry(name)) for name, model in installed.items()),
        *(ModelInfo(name) for name in named_ones(load_settings().hosted_models)),
        *(ModelInfo(name, entry=entry) for name, entry in catalogue().items() if name not in installed),
    )


def known_model(store: Store, name: str) -> ModelInfo:
    """Find a model by its name, hub id or alias; raises UnknownName with the nearest."""
    entry = find_entry(name)
    wanted = entry.name if entry else name
    models = known_models(store)
    for model in models:
        if wanted in (model.name, model.source):
            return model
    raise UnknownName("model", name, [model.name for model in models])
