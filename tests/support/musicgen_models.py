"""Tiny random MusicGen checkpoints in memory: no file of a published layout and no PyTorch to write it."""

from __future__ import annotations

from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from checkpoints import write_tokenizer
from numpy.typing import NDArray
from shapes import TINY

import tunesmith
from tunesmith.models.families.musicgen import summarize
from tunesmith.models.integrity import digest_folder
from tunesmith.models.manifest import Manifest, Source, write_manifest
from tunesmith.models.store import Store
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Checkpoint
from tunesmith.musicgen.checkpoint.expected_shapes import codec_shapes, decoder_shapes
from tunesmith.musicgen.conversion import convert
from tunesmith.neural.t5 import tensor_shapes


def random_checkpoint(folder: Path, architecture: Architecture = TINY, seed: int = 0) -> Checkpoint:
    """Return a checkpoint whose hidden states are near 1; its tokenizer lies in the folder."""
    rng = np.random.default_rng(seed)
    shapes = tensor_shapes(architecture.text_encoder) | decoder_shapes(architecture) | codec_shapes(architecture.codec)
    weights = {name: random_weight(rng, name, shape) for name, shape in shapes.items()}
    write_tokenizer(folder)
    return Checkpoint(architecture, weights, folder / "tokenizer.json")


def install_random(store: Store, name: str, architecture: Architecture = TINY) -> None:
    """Install a random checkpoint under a name of the catalogue, unquantized, as if it were pulled from the hub."""
    with store.building(name) as target, TemporaryDirectory() as folder:
        convert(random_checkpoint(Path(folder), architecture), target, "none", lambda _: None)
        summary = summarize(architecture)
        manifest = Manifest(
            name, Source(f"facebook/{name}", "c0ffee"), "cc-by-nc-4.0", "none", summary.parameters, summary.sizes,
            digest_folder(target), tunesmith.__version__, "2030-01-02T03:04:05+00:00",
        )  # fmt: skip
        write_manifest(manifest, target)


def random_weight(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return norms near 1, biases near 0, embeddings of 0.7, and weights that keep signals at unit size."""
    values = rng.standard_normal(shape).astype(np.float32)
    if len(shape) == 1:
        return np.float32(0.2) * values + np.float32(name.endswith("weight"))
    is_table = any(word in name for word in ("embed", "shared", "relative_attention_bias"))
    return values * np.float32(0.7 if is_table else prod(shape[1:]) ** -0.5)
