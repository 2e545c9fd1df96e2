"""A model folder of the real size with random weights, made by the graph builders that conversion uses."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.magenta_rt.architecture import MAGENTA_RT_2_SMALL
from tunesmith.magenta_rt.checkpoint.published_shapes import published_shapes
from tunesmith.magenta_rt.graph.codec import build_codec
from tunesmith.magenta_rt.graph.depth import build_depth
from tunesmith.magenta_rt.graph.tables import TABLES
from tunesmith.magenta_rt.graph.temporal import build_temporal
from tunesmith.magenta_rt.model_folder import CODEC, DEPTH, TEMPORAL, write_architecture
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import BLOCKWISE


class RandomWeights(Mapping[str, NDArray[np.float32]]):
    """Weights by their published names, each made when it is read, with numbers whose sums keep their size."""

    def __init__(self) -> None:
        self._shapes = published_shapes(MAGENTA_RT_2_SMALL)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        shape = tuple(self._shapes[name])
        random = np.random.Generator(np.random.SFC64(zlib.crc32(name.encode())))
        numbers = random.standard_normal(shape, np.float32)
        leaf = name.rpartition("/")[2]
        if leaf == "scale":
            return 1 + np.float32(0.1) * numbers
        if leaf in ("bias", "per_dim_scale"):
            return np.float32(0.1) * numbers
        return numbers * np.float32(self._fan_in(name, shape) ** -0.5)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    @staticmethod
    def _fan_in(name: str, shape: tuple[int, ...]) -> int:
        if "output_projection" in name:
            return shape[1] * shape[2]
        if name.endswith("kernel"):
            return prod(shape[:3]) if len(shape) == 4 else shape[0]
        return shape[-1]


def write_model(folder: Path) -> Path:
    """Write the model folder, unless it is there."""
    if (folder / "architecture.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    weights = RandomWeights()
    graphs = {TEMPORAL: (build_temporal, BLOCKWISE), DEPTH: (build_depth, BLOCKWISE), CODEC: (build_codec, None)}
    for name, (build, form) in graphs.items():
        with GraphBuilder(folder / name, form) as builder:
            build(builder, MAGENTA_RT_2_SMALL, weights)
    for name, table in TABLES.items():
        np.save(folder / name, table(MAGENTA_RT_2_SMALL, weights))
    write_architecture(folder, MAGENTA_RT_2_SMALL)
    return folder
