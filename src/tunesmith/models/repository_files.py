"""The files of a model repository, and which of them a model in Hugging Face's layout requires."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tunesmith.errors import ModelFileError
from tunesmith.licences import UNNAMED

CONFIG = "config.json"
SIDE_FILES = ("generation_config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Weights in one file, preferred first; ``….index.json`` lists the shards of weights in several."""
WEIGHT_ENDINGS = (".safetensors", ".bin", ".ckpt", ".npz")
LAYOUTS = ("*", "*/*", "resources/*/*")
"""Where the files of all layouts lie; a folder such as the user's home holds far more below."""
CARD_FIELDS = ("license", "license_name")
"""The fields of a model card's metadata that state the licence."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository; ``sha256`` is known for large files only."""

    name: str
    bytes: int
    sha256: str | None = None

    @property
    def is_weights(self) -> bool:
        """Whether the file holds weights, by its name."""
        return self.name.endswith(WEIGHT_ENDINGS)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit; ``licence`` is None if it states none."""

    hub_id: str
    commit: str
    licence: str | None
    files: tuple[RemoteFile, ...]

    @classmethod
    def of_folder(cls, hub_id: str, folder: Path) -> Repository:
        """Return a folder with the subfolders of known layouts; a snapshot of the cache is named after its commit."""
        paths = sorted(path for pattern in LAYOUTS for path in folder.glob(pattern) if path.is_file())
        files = tuple(RemoteFile(path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths)
        return cls(hub_id, folder.name, folder_licence(folder), files)

    @property
    def weights_bytes(self) -> int:
        """Size of the weights in bytes, as they are stored."""
        return sum(file.bytes for file in self.files if file.is_weights)

    def file(self, name: str) -> RemoteFile | None:
        """Return the file with this name, or None."""
        return next((file for file in self.files if file.name == name), None)

    def present(self, names: Iterable[str]) -> tuple[RemoteFile, ...]:
        """Return the files with these names that are there, in this order."""
        found = (self.file(name) for name in names)
        return tuple(file for file in found if file)


ReadText = Callable[[RemoteFile], str]
"""A function that returns the text of a small file of a repository."""


def transformers_files(repository: Repository, read_text: ReadText) -> tuple[RemoteFile, ...]:
    """Return the files of a model in Hugging Face's layout, first its configuration; none if it has no weights.

    Safetensors are preferred to pickles; the same weights are never fetched in two formats. ``read_text`` serves to
    look up the shards. Raises ModelFileError if they are not all there.
    """
    weights = _transformers_weights(repository, read_text)
    return repository.present((CONFIG, *SIDE_FILES)) + weights if weights else ()


def companion_files(repository: Repository, read_text: ReadText) -> tuple[RemoteFile, ...]:
    """Return the files of a repository that holds a part of a model. Raises ModelFileError if it has no weights."""
    files = transformers_files(repository, read_text)
    if not files:
        raise ModelFileError(repository.hub_id, f"contains no part of a model: neither {' nor '.join(WEIGHTS)}")
    return files


def _transformers_weights(repository: Repository, read_text: ReadText) -> tuple[RemoteFile, ...]:
    for name in WEIGHTS:
        whole, index = repository.file(name), repository.file(f"{name}.index.json")
        if whole:
            return (whole,)
        if index:
            shards = shard_names(index.name, read_text(index))
            # Found out now rather than after gigabytes of the other shards.
            missing = [shard for shard in shards if repository.file(shard) is None]
            if missing:
                raise ModelFileError(index.name, f"names {missing[0]}, which {repository.hub_id} does not contain")
            return (index, *repository.present(shards))
    return ()


def shard_names(index_name: str, text: str) -> tuple[str, ...]:
    """Return the shard names of an index, sorted. Raises ModelFileError if it is invalid."""
    try:
        names = set(json.loads(text)["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ModelFileError(index_name, "weight_map: is missing or broken") from None
    # The names become paths: one with a folder in it could leave the download folder.
    bad = [
        name
        for name in names
        if not isinstance(name, str) or re.fullmatch(r"[\w-][\w.-]*\.(?:safetensors|bin)", name) is None
    ]
    if bad:
        raise ModelFileError(index_name, f"weight_map: names a file that is no shard: {bad[0]!r}")
    return tuple(sorted(names))


def folder_licence(folder: Path) -> str | None:
    """Return the licence in the README's metadata of a checkpoint folder, or None."""
    from huggingface_hub import metadata_load

    readme = folder / "README.md"
    try:
        values = metadata_load(readme) if readme.is_file() else None
    # A broken README must not prevent the installation; the licence is then unknown.
    except (ValueError, OSError, yaml.YAMLError):
        return None
    return card_licence(values or {})


def card_licence(card: Mapping[str, Any]) -> str | None:
    """Return the licence that the metadata of a model card states, several separated by ``;``, or None."""
    stated, name = (card.get(field) for field in CARD_FIELDS)
    every = [str(one) for one in (stated if isinstance(stated, list) else [stated]) if one]
    # A licence that is not in the hub's list is called "other", and the card names it in another field.
    return "; ".join(str(name) if one.lower() == UNNAMED and name else one for one in every) or None
