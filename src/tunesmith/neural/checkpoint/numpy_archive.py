"""NumPy archives (``.npz``): a zip with one ``.npy`` file for each array, read array by array and without pickles."""

from __future__ import annotations

import ast
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensors import NUMBER_BYTES, StoredTensor, as_float32, storage_type
from tunesmith.neural.checkpoint.zip_entries import content_offset

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
"""The longest accepted header of an array in bytes; NumPy has the same limit."""
MOST_ENTRIES = 100_000
KINDS: Mapping[str, str] = {
    "<f2": "float16", "<f4": "float32", "<f8": "float64", "|u1": "uint8", "|i1": "int8", "|b1": "bool",
    "<i2": "int16", "<i4": "int32", "<i8": "int64",
}  # fmt: skip
ENDING = ".npy"
# What Python's zip reader and decompressor raise for damaged archives.
BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class NumpyArchive:
    """The arrays of an archive, unread: ``tensors`` of numbers by name, and ``texts`` of bytes by name."""

    path: Path
    tensors: Mapping[str, ArchivedTensor]
    texts: Mapping[str, PackedArray]

    def read_bytes(self, name: str, most: int) -> bytes:
        """Return an array of bytes. Raises ModelFileError if it is missing or longer than ``most`` bytes."""
        found = self.texts.get(name)
        if found is None:
            raise ModelFileError(self.path.name, f"{name} is missing, or is no array of bytes")
        if found.size > most:
            raise ModelFileError(self.path.name, f"{name} has {found.size} bytes, more than the {most} that are read")
        return found.content()


@dataclass(frozen=True, slots=True)
class PackedArray:
    """An array that is read through the zip: compressed, or of bytes. ``start`` is the length of its own header."""

    path: Path
    entry: str
    kind: str
    shape: tuple[int, ...]
    start: int
    size: int

    @property
    def file(self) -> str:
        """The name of the archive."""
        return self.path.name

    def content(self) -> bytes:
        """Decompress the array. Raises ModelFileError if it is damaged."""
        with _broken_archives(self.path), zipfile.ZipFile(self.path) as archive, archive.open(self.entry) as packed:
            packed.read(self.start)
            # The header's size counts, so a bomb stops here; one byte more lets the zip check its CRC.
            content = packed.read(self.size + 1)
        if len(content) != self.size:
            raise ModelFileError(self.file, f"{self.entry} has not the {self.size} bytes that its shape asks for")
        return content

    def read(self) -> NDArray[np.float32]:
        """Read the numbers."""
        numbers = np.frombuffer(self.content(), storage_type(self.kind)).reshape(self.shape)
        return as_float32(numbers, self.kind)


ArchivedTensor = StoredTensor | PackedArray


def read_numpy_archive(path: Path) -> NumpyArchive:
    """Read the names, types and shapes of an archive's arrays, not their data.

    Raises ModelFileError if the archive is broken, or holds anything but arrays of numbers or bytes: arrays of Python
    objects are pickles, which could run a program.
    """
    tensors: dict[str, ArchivedTensor] = {}
    texts: dict[str, PackedArray] = {}
    with _broken_archives(path), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        _check_names(path, [entry.filename for entry in entries])
        for entry in entries:
            header = _read_header(path, archive, entry)
            name = entry.filename.removesuffix(ENDING)
            # Texts, such as a tokenizer's model, are stored as flat arrays of bytes.
            if header.kind is None or (header.kind == "uint8" and len(header.shape) < 2):
                texts[name] = _packed(path, entry, header, "uint8")
            if header.kind is not None:
                tensors[name] = _tensor(path, entry, header, header.kind)
    return NumpyArchive(path, tensors, texts)


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of an array; ``kind`` is None for bytes. ``start`` is the number of bytes before the data."""

    kind: str | None
    shape: tuple[int, ...]
    is_column_order: bool
    start: int
    size: int


def _check_names(path: Path, names: list[str]) -> None:
    wrong = next((name for name in names if not name.endswith(ENDING)), None)
    if wrong is not None or not names:
        raise ModelFileError(path.name, f"contains {wrong!r}: this is not a NumPy archive" if wrong else "is empty")
    if len(set(names)) < len(names) or len(names) > MOST_ENTRIES:
        raise ModelFileError(path.name, f"contains two arrays of one name, or more than {MOST_ENTRIES}")


def _read_header(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> _Header:
    def refuse(problem: str) -> ModelFileError:
        return ModelFileError(path.name, f"{entry.filename}: {problem}")

    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refuse("is compressed in a way that NumPy does not write: refused")
    with archive.open(entry) as file:
        text, start = _header_text(file, refuse)
    try:
        # The header is a Python literal; literal_eval runs no code.
        values = ast.literal_eval(text.decode("latin-1").strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise refuse("its header is broken") from None
    match values:
        case {"descr": str(descr), "fortran_order": bool(column_order), "shape": tuple(shape)}:
            pass
        case _:
            raise refuse("its header is not one of a plain array (structured types are not read)")
    if not all(type(axis) is int and axis >= 0 for axis in shape) or len(shape) > 32:
        raise refuse(f"shape {shape} cannot be")
    kind, item_bytes = _kind(descr, refuse)
    size = prod(shape) * item_bytes
    if start + size != entry.file_size:
        raise refuse(f"has {entry.file_size} bytes where shape {shape} of {descr} fills {start + size}")
    return _Header(kind, shape, column_order and len(shape) > 1, start, size)


def _header_text(file: IO[bytes], refuse: Any) -> tuple[bytes, int]:
    prefix = file.read(len(MAGIC) + 2)
    if prefix[: len(MAGIC)] != MAGIC or len(prefix) < len(MAGIC) + 2:
        raise refuse("is not an array of NumPy")
    # Version 1 of the format states the header's length in two bytes, later ones in four.
    width = 2 if prefix[-2] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > LONGEST_HEADER:
        raise refuse(f"its header of {length} bytes is longer than the {LONGEST_HEADER} that are read")
    text = file.read(length)
    return text, len(prefix) + width + len(text)


def _kind(descr: str, refuse: Any) -> tuple[str | None, int]:
    """Return the number type, None for bytes, and the bytes of one element."""
    if descr in KINDS:
        return KINDS[descr], NUMBER_BYTES[KINDS[descr]]
    letter, digits = descr[1:2], descr[2:]
    if letter in ("S", "V") and digits.isascii() and digits.isdecimal() and len(digits) < 12:
        return None, int(digits)
    if letter == "O":
        raise refuse("contains Python objects, which are a pickle: refused")
    raise refuse(f"numbers of type {descr} are not read")


def _tensor(path: Path, entry: zipfile.ZipInfo, header: _Header, kind: str) -> ArchivedTensor:
    if entry.compress_type != zipfile.ZIP_STORED:
        if header.is_column_order:
            problem = f"{entry.filename}: is compressed and in Fortran's order, which is not read"
            raise ModelFileError(path.name, problem)
        return _packed(path, entry, header, kind)
    strides = None
    if header.is_column_order:
        strides = tuple(prod(header.shape[:axis]) for axis in range(len(header.shape)))
    return StoredTensor(path, kind, header.shape, content_offset(path, entry) + header.start, strides)


def _packed(path: Path, entry: zipfile.ZipInfo, header: _Header, kind: str) -> PackedArray:
    return PackedArray(path, entry.filename, kind, header.shape, header.start, header.size)


@contextmanager
def _broken_archives(path: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise ModelFileError(path.name, f"is truncated, damaged or not a NumPy archive ({error})") from error
