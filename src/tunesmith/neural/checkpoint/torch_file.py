"""What torch.save writes, read without torch: a zip with one pickle and, uncompressed, the numbers of each storage."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.restricted_unpickler import AllowedGlobals, Name, read_pickle
from tunesmith.neural.checkpoint.tensors import NUMBER_BYTES, StoredTensor, row_strides
from tunesmith.neural.checkpoint.zip_entries import content_offset

STORAGES: Mapping[str, str] = {
    "torch.HalfStorage": "float16", "torch.BFloat16Storage": "bfloat16", "torch.FloatStorage": "float32",
    "torch.DoubleStorage": "float64", "torch.ByteStorage": "uint8", "torch.CharStorage": "int8",
    "torch.BoolStorage": "bool", "torch.ShortStorage": "int16", "torch.IntStorage": "int32",
    "torch.LongStorage": "int64",
}  # fmt: skip
# Files of torch before 1.6, which were no zip archives, begin so.
BEFORE_ZIP = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of numbers in the zip; ``offset`` in bytes of the file."""

    kind: str
    offset: int
    count: int


def read_torch_file(path: Path) -> Any:
    """Return what was saved, with StoredTensor for each tensor, unread.

    Raises ModelFileError where the file is broken, of the old format, or holds anything but tensors, plain values and
    containers; nothing in it is ever executed.
    """
    with path.open("rb") as file:
        if file.read(len(BEFORE_ZIP)) == BEFORE_ZIP:
            raise ModelFileError(
                path.name, "it has the format of torch before version 1.6: save it again with a newer torch"
            )
    try:
        with zipfile.ZipFile(path) as archive:
            return _Archive(path, archive).read()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise ModelFileError(path.name, f"it is cut off or was not written by torch.save ({error})") from error


class _Archive:
    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._entries = {entry.filename: entry for entry in archive.infolist()}
        pickles = [name for name in self._entries if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise ModelFileError(path.name, "it is a zip without data.pkl: not written by torch.save")
        self._prefix = pickles[0].removesuffix("data.pkl")

    def read(self) -> Any:
        order = self._prefix + "byteorder"
        if order in self._entries and self._content(order) != b"little":
            raise ModelFileError(
                self._path.name, "its numbers are big-endian: save it again on a little-endian machine"
            )
        builders: dict[str, Callable[..., Any]] = {
            "collections.OrderedDict": _empty,
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
        }
        allowed = AllowedGlobals(builders, frozenset(STORAGES), self._storage)
        return read_pickle(self._content(self._prefix + "data.pkl"), self._path.name, allowed)

    def _content(self, name: str) -> bytes:
        self._offset(self._entries[name])
        return self._archive.read(name)

    def _offset(self, entry: zipfile.ZipInfo) -> int:
        """Return the byte of the file where the entry's content begins."""
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ModelFileError(self._path.name, f"{entry.filename} is compressed: not written by torch.save")
        return content_offset(self._path, entry)

    def _storage(self, persistent: Any) -> _Storage:
        match persistent:
            case ("storage", Name(text), str(key), str(), int(count)) if text in STORAGES:
                entry = self._entries.get(f"{self._prefix}data/{key}")
            case _:
                raise ModelFileError(self._path.name, "it refers to something that is not a storage: refused")
        if entry is None:
            raise ModelFileError(self._path.name, f"data/{key} is missing")
        kind = STORAGES[text]
        if not 0 <= count * NUMBER_BYTES[kind] <= entry.file_size:
            problem = f"data/{key} has {entry.file_size} bytes, but must have {count} numbers of {kind}"
            raise ModelFileError(self._path.name, problem)
        return _Storage(kind, self._offset(entry), count)

    def _tensor(self, storage: Any, first: Any, shape: Any, strides: Any, *_: Any) -> StoredTensor:
        numbers = (first, *shape, *strides)
        if not isinstance(storage, _Storage) or not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise ModelFileError(self._path.name, "the description of a tensor is not numeric")
        whole = row_strides(tuple(shape))
        same = all(size <= 1 or a == b for size, a, b in zip(shape, strides, whole, strict=True))
        size = NUMBER_BYTES[storage.kind]
        offset = storage.offset + first * size
        tensor = StoredTensor(self._path, storage.kind, tuple(shape), offset, None if same else tuple(strides))
        if first * size + tensor.extent > storage.count * size:
            raise ModelFileError(self._path.name, f"a tensor of shape {tuple(shape)} reaches beyond its storage")
        # Strides of zero repeat numbers, and a small file would fill the memory.
        if prod(shape) > storage.count:
            problem = f"a tensor of shape {tuple(shape)} has more numbers than the {storage.count} of its storage"
            raise ModelFileError(self._path.name, problem)
        return tensor


def _empty() -> dict[str, Any]:
    return {}
