"""Stability AI's own layout: ``model_config.json`` and all weights but the text encoder's in one file.

Stable Audio 3 and Stable Audio Open have it alike, the latter also as a pickle (``model.ckpt``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensor_shapes import Shapes
from tunesmith.neural.checkpoint.tensors import Tensor
from tunesmith.neural.checkpoint.torch_file import read_torch_file
from tunesmith.neural.checkpoint.weight_files import check_is_there, fold_weight_norm, read_tensors, tensors_of
from tunesmith.stable_audio.checkpoint.canonical_shapes import (
    AUTOENCODER,
    CONDITIONER,
    DIFFUSION,
    autoencoder_shapes,
    conditioner_shapes,
    diffusion_shapes,
)
from tunesmith.stable_audio.checkpoint.file_names import STABILITY_WEIGHTS
from tunesmith.stable_audio.checkpoint.model_config import PublishedSizes
from tunesmith.stable_audio.checkpoint.placement import Shape, StoredForm, StoredPlace, check_all_used, place_tensors

PREFIXES = {DIFFUSION: "model.model.", CONDITIONER: "conditioner.conditioners.", AUTOENCODER: "pretransform.model."}
CONVOLUTIONS = ("preprocess_conv.weight", "postprocess_conv.weight")
# Rotary frequencies, and noise of the training of which nothing is stored.
UNUSED_ENDINGS = ("inv_freq", "noise_scaling_factor")


def weights_of(folder: Path) -> Path | None:
    """Return the weight file of a folder, or None."""
    return next((folder / name for name in STABILITY_WEIGHTS if (folder / name).is_file()), None)


def read_stability(folder: Path, sizes: PublishedSizes) -> dict[str, Tensor]:
    """Return the tensors of the model but for the text encoder.

    Raises ModelFileError, which names the tensor, if one is missing, has another shape or no place in the model.
    """
    path = weights_of(folder) or folder / STABILITY_WEIGHTS[0]
    check_is_there(path)
    shapes = (
        diffusion_shapes(sizes.diffusion)
        | conditioner_shapes(sizes.diffusion, sizes.numbers)
        | autoencoder_shapes(sizes.autoencoder)
    )
    tensors = _with_full_names(fold_weight_norm(_read(path)), shapes)
    placed = place_tensors(tensors, shapes, find_place, path.name)
    check_all_used(tensors, shapes, find_place, _is_unused)
    return placed


def find_place(name: str, shape: Shape) -> StoredPlace:
    """Return the place of a tensor in this layout."""
    prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
    own = PREFIXES[prefix] + name.removeprefix(prefix)
    # A convolution over single latents is a linear layer.
    forms = (StoredForm((*shape, 1)),) if own.endswith(CONVOLUTIONS) else ()
    return StoredPlace((own,), forms)


def _read(path: Path) -> Mapping[str, Tensor]:
    if path.suffix == ".safetensors":
        return read_tensors(path)
    saved = read_torch_file(path)
    # Trainers save the weights among other things.
    return tensors_of(saved["state_dict"] if isinstance(saved, dict) and "state_dict" in saved else saved, path.name)


def _is_unused(name: str) -> bool:
    return name.endswith(UNUSED_ENDINGS) or not name.startswith(tuple(PREFIXES.values()))


def _with_full_names(tensors: dict[str, Tensor], shapes: Shapes) -> dict[str, Tensor]:
    """Return the tensors with the names of today: older files lack one dotted part of some of them."""
    wanted = [own for name, shape in shapes.items() for own in find_place(name, shape).names]
    renamed = dict(tensors)
    for name in wanted:
        if name in tensors:
            continue
        found = [older for older in _without_one_part(name) if older in renamed and older not in wanted]
        if len(found) > 1:
            raise ModelFileError(tensors[found[0]].file, f"{name} may be {' or '.join(found)}")
        if found:
            renamed[name] = renamed.pop(found[0])
    return renamed


def _without_one_part(name: str) -> list[str]:
    parts = name.split(".")
    # Leaving out one of two equal parts beside each other gives the same name twice.
    return list(dict.fromkeys(".".join(parts[:k] + parts[k + 1 :]) for k in range(len(parts))))
