"""The table of model families; a new family is one entry."""

from __future__ import annotations

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.checkpoint.file_names import CHECKPOINT
from tunesmith.models.families.family import ModelFamily
from tunesmith.models.families.magenta_rt import MagentaFamily
from tunesmith.models.families.musicgen import MusicGenFamily
from tunesmith.models.families.stable_audio import StableAudioFamily
from tunesmith.models.manifest import Manifest
from tunesmith.models.repository_files import Repository

# MusicGen comes last: its files are those of every model on the hub, and the others' are named for them.
FAMILIES: tuple[ModelFamily, ...] = (StableAudioFamily(), MagentaFamily(), MusicGenFamily())


def family_of(manifest: Manifest) -> ModelFamily:
    """Return the family of an installed model. Raises ModelFileError for one of a later version of Tunesmith."""
    kind = manifest.sizes.kind
    found = next((family for family in FAMILIES if family.kind == kind), None)
    if found is None:
        known = ", ".join(family.kind for family in FAMILIES)
        raise ModelFileError(manifest.name, f"is a model of the family {kind!r}; only {known} are supported")
    return found


def family_holding(repository: Repository) -> ModelFamily:
    """Return the family whose model a repository holds. Raises ModelFileError if it holds none."""
    found = next((family for family in FAMILIES if family.holds(repository)), None)
    if found is None:
        layouts = f"config.json, state_dict.bin, model_config.json, model_index.json, dit_*.npz or {CHECKPOINT}"
        raise ModelFileError(repository.hub_id, f"contains no supported model: it has no {layouts}")
    return found


def family_named(name: str) -> ModelFamily | None:
    """Return the family that a name stands for as a whole, or None."""
    return next((family for family in FAMILIES if name.lower() in family.names), None)


def refusal(hub_id: str) -> str | None:
    """Return why a published model of this name is not run here and what to use instead, or None."""
    found = (family.refuse(hub_id) for family in FAMILIES)
    return next((reason for reason in found if reason), None)
