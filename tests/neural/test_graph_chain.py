from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tunesmith.errors import ModelFileError
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.graph_chain import GraphChain, part_path
from tunesmith.neural.sessions import ALL_CORES


def write_part(folder: Path, number: int, inputs: list[str], output: str) -> None:
    """Write a part that adds up to two inputs."""
    with GraphBuilder(part_path(folder, "sum", number)) as builder:
        names = [builder.input(name, np.float32, ["n"]) for name in inputs]
        builder.nodes("Add", [names[0], names[-1]], [output])
        builder.output(output, np.float32, ["n"])


def test_a_part_reads_what_it_names_of_the_inputs_and_of_parts_before(tmp_path: Path) -> None:
    write_part(tmp_path, 0, ["x"], "twice")
    write_part(tmp_path, 1, ["twice", "y"], "sum")
    chain = GraphChain(tmp_path, "sum", "sum", ALL_CORES)
    assert chain.run({"x": np.ones(2, np.float32), "y": np.full(2, 5, np.float32)}).tolist() == [7, 7]


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    write_part(tmp_path, 0, ["x"], "twice")
    with pytest.raises(ModelFileError, match=r"sum_1\.onnx: is missing"):
        GraphChain(tmp_path, "sum", "sum", ALL_CORES).run({"x": np.ones(2, np.float32)})
