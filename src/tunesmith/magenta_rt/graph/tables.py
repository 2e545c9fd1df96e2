"""The tables that the engine reads beside the graphs, from the published weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tunesmith.magenta_rt.architecture import RESERVED_IDS, MagentaArchitecture
from tunesmith.magenta_rt.graph.names import CODEBOOKS, DEPTH_ADAPTER, EMBEDDINGS, TEMPORAL_STACK
from tunesmith.magenta_rt.graph.stack import Array, Weights, query_scale
from tunesmith.magenta_rt.model_folder import CODEBOOKS as CODEBOOKS_FILE
from tunesmith.magenta_rt.model_folder import DEPTH_EMBEDDINGS, FRAME_EMBEDDINGS, SINKS

START = 0
"""The row of the frame embeddings that stands for every code of the frame before the first."""


def frame_embeddings(architecture: MagentaArchitecture, weights: Weights) -> Array:
    """Return what each code of the previous frame adds to the input of the temporal transformer.

    (1 + codebooks x codebook size, hidden): the start of a stream, then the codes, codebook by codebook. The input is
    the mean of the embeddings of all codebooks, so a row holds its share of it.
    """
    # The model multiplies every look-up by the root of its width; the tables take that over.
    share = np.float32(np.sqrt(architecture.temporal.hidden_size) / architecture.num_codebooks)
    table = weights[EMBEDDINGS]
    return np.asarray(np.concatenate([table[:1], table[RESERVED_IDS:]]) * share, np.float32)


def depth_embeddings(architecture: MagentaArchitecture, weights: Weights) -> Array:
    """Return the input of the depth transformer after each code: (codebooks x codebook size, depth hidden)."""
    table = weights[EMBEDDINGS][RESERVED_IDS:] * np.float32(np.sqrt(architecture.temporal.hidden_size))
    # The adapter follows every look-up, so it is part of the table.
    return np.asarray(table @ weights[DEPTH_ADAPTER] if DEPTH_ADAPTER in weights else table, np.float32)


def codebooks(architecture: MagentaArchitecture, weights: Weights) -> Array:
    """Return the vectors of the codec's codes that the language model writes: (codebooks, codebook size, latent)."""
    return np.ascontiguousarray(weights[CODEBOOKS][: architecture.num_codebooks])


def sinks(architecture: MagentaArchitecture, weights: Weights) -> Array:
    """Return the keys and values that every frame attends to: (attentions, 2, heads, head), the layers' self and cross
    attention in turn.

    The model multiplies these keys by queries that are not scaled; ours are, so the keys are divided by the scale.
    """
    found = []
    for layer in range(architecture.temporal.num_layers):
        for part in ("self", "cross"):
            prefix = f"{TEMPORAL_STACK}/x_layers_{layer}/{part}_attention/attention"
            scale = query_scale(weights[f"{prefix}/per_dim_scale"])
            key, value = (weights[f"{prefix}/sink_{name}_embeddings"][0] for name in ("key", "value"))
            found.append(np.stack([key / scale, value]))
    return np.asarray(np.stack(found), np.float32)


TABLES: Mapping[str, Callable[[MagentaArchitecture, Weights], Array]] = {
    FRAME_EMBEDDINGS: frame_embeddings, DEPTH_EMBEDDINGS: depth_embeddings, CODEBOOKS_FILE: codebooks, SINKS: sinks,
}  # fmt: skip
"""The tables of a model by the names of their files."""
HALVED = (FRAME_EMBEDDINGS, DEPTH_EMBEDDINGS)
"""The tables that a quantized model has in float16: they are large, and the published model computes in bfloat16."""


def write_tables(folder: Path, architecture: MagentaArchitecture, weights: Weights, *, exact: bool) -> None:
    """Write the tables of a model to its folder, all of them in float32 if ``exact``."""
    for name, build in TABLES.items():
        table = build(architecture, weights)
        np.save(folder / name, table if exact or name not in HALVED else table.astype(np.float16))
