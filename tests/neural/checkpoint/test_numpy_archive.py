"""NumPy archives: every plain array is read as NumPy reads it, and nothing else is read at all."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.numpy_archive import NumpyArchive, read_numpy_archive

ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "half": np.arange(6, dtype=np.float16).reshape(2, 3), "single": np.linspace(0, 1, 7, dtype=np.float32),
    "double": np.ones((2, 1, 3)), "columns": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "scalar": np.array(2.5, np.float32), "empty": np.zeros((1, 0, 1), np.float32), "whole": np.array([[1, -2]]),
    "bytes": np.arange(5, dtype=np.uint8), "flags": np.array([[True, False]]),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_what_numpy_wrote(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "plain.npz", **ARRAYS)  # type: ignore[arg-type]  # NumPy's stub accepts no mapping
    tensor = read_numpy_archive(tmp_path / "plain.npz").tensors[name]
    assert tensor.shape == ARRAYS[name].shape
    np.testing.assert_array_equal(tensor.read(), ARRAYS[name].astype(np.float32))


def test_a_compressed_array_is_the_same_but_for_fortran_s_order(tmp_path: Path) -> None:
    plain = {name: array for name, array in ARRAYS.items() if name != "columns"}
    np.savez_compressed(tmp_path / "small.npz", **plain)  # type: ignore[arg-type]  # see above
    archive = read_numpy_archive(tmp_path / "small.npz")
    for name, array in plain.items():
        np.testing.assert_array_equal(archive.tensors[name].read(), array.astype(np.float32))
    np.savez_compressed(tmp_path / "columns.npz", columns=ARRAYS["columns"])
    with pytest.raises(ModelFileError, match=r"columns\.npy: it is compressed and in Fortran's order"):
        read_numpy_archive(tmp_path / "columns.npz")


@pytest.mark.parametrize("array", [
    np.frombuffer(b"text", np.uint8), np.array(b"text"), np.frombuffer(b"text", "V4")[0], np.array([b"text"]),
])  # fmt: skip
def test_bytes_come_back_in_every_form_that_numpy_has_for_them(tmp_path: Path, array: Any) -> None:
    np.savez(tmp_path / "bytes.npz", text=array)
    archive = read_numpy_archive(tmp_path / "bytes.npz")
    assert archive.read_bytes("text", 4) == b"text"
    with pytest.raises(ModelFileError, match="text has 4 bytes, more than the 3"):
        archive.read_bytes("text", 3)
    with pytest.raises(ModelFileError, match="other is missing"):
        archive.read_bytes("other", 4)


def one_entry(path: Path, content: bytes, name: str = "x.npy", kind: int = zipfile.ZIP_STORED) -> NumpyArchive:
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr(name, content)
    return read_numpy_archive(path)


def array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def with_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(("content", "words"), [
    (array_bytes(np.array([{}], object)), "Python objects, which are a pickle: refused"),
    (array_bytes(np.ones(3, ">f4")), "numbers of type >f4 are not read"),
    (array_bytes(np.ones(3, "f4,f4")), "structured types are not read"),
    (array_bytes(np.ones(3))[:-1], "it has 151 bytes where shape .* fills 152"),
    (array_bytes(np.ones(3)) + b"x", "it has 153 bytes where shape .* fills 152"),
    (b"", "is not an array of NumPy"), (b"\x93NUMPY", "is not an array of NumPy"),
    (with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), r"shape \(-1,\) cannot be"),
    (with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}"), "cannot be"),
    (with_header("__import__('os').mkdir('x')"), "its header is broken"), (with_header("(" * 9000), "header is broken"),
    (with_header("{}"), "not one of a plain array"), (with_header("{" * 10_001), "header of 10001 bytes is longer"),
])  # fmt: skip
def test_anything_but_a_plain_array_is_refused_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ModelFileError, match=words) as raised:
        one_entry(tmp_path / "bad.npz", content)
    assert "\n" not in str(raised.value)


def test_entries_that_are_no_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"it holds 'x\.pkl': this is not a NumPy archive"):
        one_entry(tmp_path / "bad.npz", b"x", name="x.pkl")
    with pytest.raises(ModelFileError, match="compressed in a way that NumPy does not write"):
        one_entry(tmp_path / "bad.npz", array_bytes(np.ones(3)), kind=zipfile.ZIP_LZMA)
    with zipfile.ZipFile(tmp_path / "none.npz", "w"):
        pass
    with pytest.raises(ModelFileError, match="it is empty"):
        read_numpy_archive(tmp_path / "none.npz")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    # The directory of the zip agrees with the shape, but the compressed stream goes on.
    content = array_bytes(np.ones(3, np.float32))
    with pytest.raises(ModelFileError, match="bytes where shape"):
        one_entry(tmp_path / "bomb.npz", content + bytes(10**7), kind=zipfile.ZIP_DEFLATED)
    packed = (tmp_path / "bomb.npz").read_bytes()
    whole, claimed = ((len(content) + extra).to_bytes(4, "little") for extra in (10**7, 0))
    (tmp_path / "bomb.npz").write_bytes(packed.replace(whole, claimed))
    with pytest.raises(ModelFileError, match=r"bomb\.npz"):
        read_numpy_archive(tmp_path / "bomb.npz").tensors["x"].read()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 3000), byte=st.integers(0, 255), compressed=st.booleans())
def test_a_damaged_archive_is_read_as_numbers_or_refused_by_name(
    tmp_path: Path, position: int, byte: int, compressed: bool
) -> None:
    path = tmp_path / "damaged.npz"
    (np.savez_compressed if compressed else np.savez)(path, a=np.ones((4, 5), np.float16), b=np.zeros(3, np.float32))
    content = bytearray(path.read_bytes())
    content[position % len(content)] = byte
    path.write_bytes(content)
    refused = None
    try:
        shapes = [(tensor.shape, tensor.read().shape) for tensor in read_numpy_archive(path).tensors.values()]
    except ModelFileError as error:
        shapes, refused = [], error
    assert all(told == read for told, read in shapes)
    assert refused is None or refused.file == "damaged.npz"
