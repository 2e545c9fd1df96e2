"""The weight files of a folder: whole or in shards, safetensors or pickles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensors import NormedTensor, StoredTensor, Tensor
from tunesmith.neural.checkpoint.torch_file import read_torch_file

WEIGHT_FILES = (
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
)  # fmt: skip
"""The names of weight files in Hugging Face's layout; the first that exists is read."""
POINTER = b"version https://git-lfs"
NORM_SPELLINGS = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))


def weight_file(folder: Path) -> Path | None:
    """Return the file to read a folder's weights from, which is an index for shards; None if there is none."""
    return next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)


def read_weights(folder: Path) -> tuple[str, dict[str, Tensor]]:
    """Return the name of the weight file and its tensors under their own names, with weight norm folded."""
    path = weight_file(folder)
    if path is None:
        raise ModelFileError(WEIGHT_FILES[0], f"it is not in {folder}, and none of {', '.join(WEIGHT_FILES[1:])} is")
    tensors = _read_shards(path) if path.suffix == ".json" else read_tensors(path)
    return path.name, fold_weight_norm(tensors)


def read_tensors(path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of one file by name, without their data."""
    check_is_there(path)
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    return tensors_of(read_torch_file(path), path.name)


def tensors_of(state: Any, file: str) -> dict[str, StoredTensor]:
    """Return the tensors of a state dict from a pickle."""
    if not isinstance(state, dict):
        raise ModelFileError(file, f"it must contain tensors by name, got {type(state).__name__}")
    # A state dict may also hold values that are no tensors.
    return {str(name): tensor for name, tensor in state.items() if isinstance(tensor, StoredTensor)}


def fold_weight_norm(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace each length and direction, in either of torch's spellings, by the weight they define."""
    folded = dict(tensors)
    for length, direction in NORM_SPELLINGS:
        for name in tensors:
            stem = name.removesuffix(direction)
            if stem != name and stem + length in folded:
                folded[stem + "weight"] = NormedTensor(folded.pop(stem + length), folded.pop(name))
    return folded


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises ModelFileError if the file is missing or holds no JSON object."""
    check_is_there(path)
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelFileError(path.name, f"it is not JSON ({error})") from error
    if not isinstance(values, dict):
        raise ModelFileError(path.name, "it is not a JSON object")
    return values


def check_is_there(path: Path) -> None:
    """Raise ModelFileError if a file is missing, empty or a git-lfs pointer."""
    if not path.is_file():
        raise ModelFileError(path.name, f"it is not in {path.parent}")
    with path.open("rb") as file:
        start = file.read(len(POINTER))
    if not start:
        raise ModelFileError(path.name, "it is empty")
    if start == POINTER:
        raise ModelFileError(path.name, "it is only a git-lfs pointer: run `git lfs pull`")


@contextmanager
def naming_folder(name: str) -> Iterator[None]:
    """Add the name of a folder or repository to errors about its files."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{name}/{error.file}", error.problem) from error


def _read_shards(index: Path) -> dict[str, StoredTensor]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(file, str) for file in places.values()):
        raise ModelFileError(index.name, "weight_map: must be an object of files by tensor")
    tensors: dict[str, StoredTensor] = {}
    for file in sorted(set(places.values())):
        # The index comes from a download: a name with a slash could lead out of the folder.
        if not re.fullmatch(r"[\w.-]+\.(safetensors|bin)", file):
            raise ModelFileError(index.name, f"weight_map: must name a file in the same folder, got {file!r}")
        tensors |= read_tensors(index.with_name(file))
    missing = next((name for name in places if name not in tensors), None)
    if missing is not None:
        raise ModelFileError(places[missing], f"{missing} is missing, but {index.name} lists it")
    return tensors
