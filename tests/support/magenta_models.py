"""Tiny models of Magenta RealTime 2: the reference's random checkpoint, converted, and what the reference computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from magenta_vectors import MAGENTA_VECTORS
from numpy.typing import NDArray

from tunesmith.magenta_rt.architecture import MagentaArchitecture, SpectroStreamShape, StackShape
from tunesmith.magenta_rt.graph.codec import build_codec
from tunesmith.magenta_rt.graph.depth import build_depth
from tunesmith.magenta_rt.graph.tables import write_tables
from tunesmith.magenta_rt.graph.temporal import build_temporal
from tunesmith.magenta_rt.model_folder import CODEC, DEPTH, TEMPORAL, write_architecture
from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensors import LazyWeights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import LinearForm

FIXTURES = MAGENTA_VECTORS / "mrt2_tiny"
if not FIXTURES.exists():
    pytest.skip("the reference's numbers are not here", allow_module_level=True)


def reference(name: str) -> dict[str, NDArray[Any]]:
    """Return the numbers that the reference computed, from a file of the fixtures."""
    with np.load(FIXTURES / f"{name}.npz") as found:
        return dict(found)


def tiny_weights() -> LazyWeights:
    """Return the weights of the reference's tiny checkpoint."""
    return LazyWeights(read_safetensors(FIXTURES / "mrt2_tiny.safetensors"))


def tiny_architecture() -> MagentaArchitecture:
    """Return the sizes of the reference's tiny checkpoint."""
    config = json.loads((FIXTURES / "config.json").read_text(encoding="utf-8"))
    temporal, depth = (
        StackShape(
            hidden_size=one["model_dims"], num_layers=one["num_layers"], num_heads=one["num_heads"],
            head_size=one["dim_per_head"], ffn_size=one["hidden_dims"],
        )
        for one in (config["temporal"], config["depth"])
    )  # fmt: skip
    codec = SpectroStreamShape(config["features"], 16, 5, (32, 8, 8, 8, 4, 4, 2))
    return MagentaArchitecture(
        temporal, depth, codec, source_width=config["source"], window_frames=config["window"],
        num_codebooks=config["levels"], codebook_size=config["codebook"], style_width=config["style_embedding"],
        style_codebook_size=config["style_codebook"],
    )  # fmt: skip


def write_tiny_model(folder: Path, form: LinearForm = None) -> Path:
    """Write the model folder of the tiny checkpoint; ``form`` is that of the language model's layers."""
    architecture, weights = tiny_architecture(), tiny_weights()
    graphs = {TEMPORAL: (build_temporal, form), DEPTH: (build_depth, form), CODEC: (build_codec, None)}
    for name, (build, of_layers) in graphs.items():
        with GraphBuilder(folder / name, of_layers) as builder:
            build(builder, architecture, weights)
    write_tables(folder, architecture, weights, exact=form is None)
    write_architecture(folder, architecture)
    return folder
