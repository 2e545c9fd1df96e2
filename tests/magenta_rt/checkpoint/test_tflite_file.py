"""TFLite files: constants are found where a writer put them, and no damaged file is read outside its bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tflite_writer import Graph, write_tflite

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.checkpoint.tflite_file import read_tflite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    first = Graph({"a/dot;b/dot": np.arange(6.0).reshape(2, 3), "b/dot": np.ones((2, 3)), "a/add": np.ones(3)})
    return write_tflite(tmp_path / "small.tflite", [first, Graph({"c": np.full((1, 1, 2), 7.0)})])


def test_constants_are_read_in_place(path: Path) -> None:
    first, second = read_tflite(path)
    assert np.array_equal(first.find("a/dot", (2, 3)).read(), np.arange(6.0).reshape(2, 3))
    # The first of several names counts most.
    assert np.array_equal(first.find("b/dot", (2, 3)).read(), np.ones((2, 3)))
    assert np.array_equal(second.find("^c$", (1, 1, 2)).read(), [[[7, 7]]])
    assert "computed" not in {one.name for one in first.constants.values()}
    assert first.shape_of("a", 1) == (3,)


def test_a_file_cut_off_anywhere_is_an_error_that_says_so(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelFileError, match=r"small.tflite: it (is empty|is cut off|is not a TFLite|is damaged)"):
            read_tflite(path)


def test_damaged_bytes_never_raise_anything_else(path: Path) -> None:
    whole, random = path.read_bytes(), np.random.default_rng(1)
    for _ in range(300):
        changed = bytearray(whole)
        for place in random.integers(8, len(whole), 3):
            changed[place] = random.choice([0, 1, 127, 128, 255])
        path.write_bytes(changed)
        try:
            graphs = read_tflite(path)
        except ModelFileError:
            continue
        end = len(whole)
        assert all(one.tensor.offset + one.tensor.extent <= end for graph in graphs for one in graph.constants.values())


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    with pytest.raises(ModelFileError, match="it is not in"):
        read_tflite(path)
    for content, words in (
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1", "only a git-lfs pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "it is not a TFLite file: it does not begin with TFL3"),
        (b"\x08\0\0\0TFL3" + bytes(64), "it has no graph|it is damaged"),
        (b"\xff\xff\xff\x7fTFL3", "it is cut off or damaged: it ends before byte"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=words):
            read_tflite(path)
