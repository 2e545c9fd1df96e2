"""The catalogue: models that can be pulled by a short name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A published model. ``parameters`` are the decoder's, ``download_gb`` is what pulling it fetches, in 10⁹ bytes.

    ``companions`` are the repositories its own lacks parts of; ``aliases`` are other names it is asked for by.
    """

    name: str
    hub_id: str
    kind: str
    parameters: int
    download_gb: float
    licence: str
    about: str
    companions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name the model is asked for by."""
        return (self.name, self.hub_id, *self.aliases)


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """Return the catalogue by name, in the order of the file."""
    text = files("tunesmith.models").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    entries = {}
    for name, fields in yaml.safe_load(text).items():
        tuples = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        entries[name] = CatalogueEntry(name=name, **{**fields, **tuples})
    return MappingProxyType(entries)


def find_entry(name: str) -> CatalogueEntry | None:
    """Find an entry by its name, hub id or alias."""
    wanted = name.lower()
    return next((entry for entry in catalogue().values() if wanted in entry.names), None)
