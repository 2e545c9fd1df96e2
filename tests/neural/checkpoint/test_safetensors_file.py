from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.safetensors_file import read_safetensors


def write(path: Path, header: Any, numbers: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    return path


def entry(shape: list[Any], last: int, kind: str = "F32", first: int = 0) -> dict[str, Any]:
    return {"a": {"dtype": kind, "shape": shape, "data_offsets": [first, last]}}


def test_tensors_come_back_as_they_were_written(tmp_path: Path) -> None:
    half = np.full((1, 1), 0.5, np.float16)
    arrays: dict[str, Any] = {"a": np.arange(6, dtype="f4").reshape(2, 3), "b": half, "c": np.zeros((0, 3), "i4")}
    safetensors.numpy.save_file(arrays, tmp_path / "t.safetensors", metadata={"format": "pt"})
    tensors = read_safetensors(tmp_path / "t.safetensors")
    assert set(tensors) == set(arrays)
    for name, array in arrays.items():
        assert tensors[name].shape == array.shape
        np.testing.assert_array_equal(tensors[name].read(), array)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        ([1], "not a JSON object"),
        ({"a": 3}, "the entry of a is not"),
        (entry([2, 2], 16, "F8_E4M3"), "dtype F8_E4M3"),
        (entry([2, -2], 16), "invalid shape"),
        (entry([2, "2"], 16), "invalid shape"),
        (entry([2, 2], 12), "does not fill"),
        (entry([2, 2], 0, first=-16), "invalid shape"),
        (entry([2, 2], 16, first=8), "does not fill"),
        (entry([2**40, 2**20], 2**62), "cut off"),
    ],
)
def test_broken_headers_are_refused(tmp_path: Path, header: Any, problem: str) -> None:
    with pytest.raises(ModelFileError, match=rf"t\.safetensors: .*{problem}"):
        read_safetensors(write(tmp_path / "t.safetensors", header, b"\0" * 16))


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.safetensors", entry([2, 2], 16), b"\0" * 16)
    content = path.read_bytes()
    assert read_safetensors(path)["a"].shape == (2, 2)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=r"t\.safetensors"):
            read_safetensors(path)


def test_a_file_that_shrinks_after_it_was_opened_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "t.safetensors", entry([2, 2], 16), b"\0" * 16)
    tensor = read_safetensors(path)["a"]
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ModelFileError, match="ends inside a tensor"):
        tensor.read()
