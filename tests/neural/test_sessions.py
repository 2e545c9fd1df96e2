from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tunesmith.errors import ModelFileError
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.sessions import ALL_CORES, LazySession, SessionOptions, open_session, usable_cores


def write_doubling(path: Path) -> None:
    with GraphBuilder(path) as builder:
        x = builder.input("x", np.float32, ["n"])
        builder.nodes("Add", [x, x], ["y"])
        builder.output("y", np.float32, ["n"])


def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"gone\.onnx: is missing"):
        open_session(tmp_path / "gone.onnx", ALL_CORES)


@pytest.mark.parametrize("content", [b"", b"not a graph", bytes(500)])
def test_a_broken_graph_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"bad\.onnx: cannot be opened"):
        open_session(tmp_path / "bad.onnx", ALL_CORES)


@pytest.mark.parametrize("keep", [True, False])
def test_a_lazy_session_opens_when_it_runs_and_stays_if_kept(tmp_path: Path, keep: bool) -> None:
    write_doubling(tmp_path / "g.onnx")
    session = LazySession(tmp_path / "g.onnx", ALL_CORES, keep=keep)
    assert session.run({"x": np.ones(2, np.float32)}).tolist() == [2, 2]
    (tmp_path / "g.onnx").unlink()
    if keep:
        assert session.run({"x": np.ones(1, np.float32)}).tolist() == [2]
    else:
        with pytest.raises(ModelFileError):
            session.run({"x": np.ones(1, np.float32)})


def test_at_least_one_core_is_used() -> None:
    assert usable_cores() >= 1


@pytest.mark.parametrize("arena", [True, False])
def test_all_outputs_are_returned_by_name(tmp_path: Path, arena: bool) -> None:
    with GraphBuilder(tmp_path / "two.onnx") as builder:
        x = builder.input("x", np.float32, ["n"])
        for name, operation in (("sum", "Add"), ("product", "Mul")):
            builder.nodes(operation, [x, x], [name])
            builder.output(name, np.float32, ["n"])
    session = LazySession(tmp_path / "two.onnx", SessionOptions(1, spinning=False, arena=arena), keep=True)
    for _ in range(2):
        outputs = session.run_all({"x": np.array([3], np.float32)})
        assert {name: float(value[0]) for name, value in outputs.items()} == {"sum": 6, "product": 9}
