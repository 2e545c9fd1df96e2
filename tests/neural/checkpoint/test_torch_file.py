from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from lazy_modules import LazyModule

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensors import StoredTensor
from tunesmith.neural.checkpoint.torch_file import read_torch_file

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")


def rezip(source: Path, target: Path, change: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for entry in old.infolist():
            name = entry.filename.split("/", 1)[1]
            new.writestr(f"archive/{name}", change.get(name, old.read(entry)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.save({"a": torch.arange(12.0).reshape(3, 4)}, tmp_path / "saved.bin")
    return tmp_path / "saved.bin"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_and_containers_come_back(tmp_path: Path, protocol: int) -> None:
    values = {
        "text": "ü" * 300, "numbers": [1, -1, 300, 70_000, 2**40, 0.5], "nested": ({"x": None}, (), [True, False]),
        "ordered": OrderedDict(b=1, a=2), 7: "seven", "bytes": [1, 2], "same": [[]] * 2,
    }  # fmt: skip
    torch.save(values, tmp_path / "values.bin", pickle_protocol=protocol)
    assert read_torch_file(tmp_path / "values.bin") == values


@pytest.mark.parametrize(
    "kind", ["float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]
)
def test_every_kind_of_number_is_read(tmp_path: Path, kind: str) -> None:
    tensor = torch.arange(-3, 9).abs().reshape(3, 4).to(getattr(torch, kind))
    torch.save(tensor, tmp_path / "t.bin")
    np.testing.assert_array_equal(read_torch_file(tmp_path / "t.bin").read(), tensor.float().numpy())


def test_views_transposes_and_shared_storages_are_read(tmp_path: Path) -> None:
    whole = torch.randn(6, 5, 4)
    views = {
        "rows": whole[2:4], "transposed": whole.transpose(0, 2), "strided": whole[::2, 1::3], "number": whole[3, 2, 1],
        "expanded": whole[0, :1].expand(3, 4), "empty": whole[:0], "parameter": torch.nn.Parameter(whole),
    }  # fmt: skip
    torch.save(views, tmp_path / "views.bin")
    read = read_torch_file(tmp_path / "views.bin")
    for name, view in views.items():
        np.testing.assert_array_equal(read[name].read(), view.detach().numpy(), err_msg=name)


@pytest.mark.parametrize("transposed", [False, True])
def test_parts_of_a_tensor_are_its_rows(tmp_path: Path, transposed: bool) -> None:
    tensor = torch.randn(6, 6).T if transposed else torch.randn(6, 6)
    torch.save(tensor, tmp_path / "t.bin")
    read: StoredTensor = read_torch_file(tmp_path / "t.bin")
    parts = [read.part(number, 3).read() for number in range(3)]
    np.testing.assert_array_equal(np.concatenate(parts), tensor.numpy())


def test_a_modules_state_dict_with_its_metadata_is_read(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    torch.save(module.state_dict(), tmp_path / "m.bin")
    read = read_torch_file(tmp_path / "m.bin")
    assert list(read) == list(module.state_dict())
    np.testing.assert_array_equal(read["0.weight"].read(), module.state_dict()["0.weight"].numpy())


class Hostile:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("inside", [False, True])
def test_a_hostile_pickle_is_refused_and_does_not_run(tmp_path: Path, protocol: int, inside: bool) -> None:
    trace = tmp_path / "trace"
    hostile: Any = Hostile(os.system, f"touch {trace}")
    torch.save(
        {"a": torch.zeros(2), "b": [hostile]} if inside else hostile, tmp_path / "h.bin", pickle_protocol=protocol
    )
    with pytest.raises(ModelFileError, match=rf"h\.bin: it imports {os.system.__module__}\.system, which is not"):
        read_torch_file(tmp_path / "h.bin")
    assert not trace.exists()
    torch.load(tmp_path / "h.bin", weights_only=False)
    assert trace.exists()  # the trap works: it is the reader that did not step into it


@pytest.mark.parametrize(
    "call",
    [
        (eval, "1"), (getattr, 1, "real"), (__import__, "os"), (open, "/dev/null"), ("torch.Tensor", [1.0]),
        ("torch.load", "x"), (np.zeros, 3),
    ],
)  # fmt: skip
def test_no_function_but_those_of_plain_tensors_is_named(tmp_path: Path, call: Any) -> None:
    named, *arguments = call
    function = getattr(torch, named.removeprefix("torch.")) if isinstance(named, str) else named
    torch.save({"x": Hostile(function, *arguments)}, tmp_path / "h.bin")
    with pytest.raises(ModelFileError, match="not part of a plain checkpoint"):
        read_torch_file(tmp_path / "h.bin")


HEAD = b"\x80\x02"
ORDERED = b"ccollections\nOrderedDict\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        (b"", "broken"),
        (HEAD, "broken"),
        (HEAD + b".", "broken"),
        (HEAD + b"0.", "instruction POP"),
        (HEAD + b"(ios\nsystem\n.", "instruction INST"),
        (HEAD + ORDERED + b")\x81.", "instruction NEWOBJ"),
        (HEAD + b"\x82\x01.", "instruction EXT1"),
        (HEAD + b"]N\x85R.", "calls something that is not a function"),
        (HEAD + b"ctorch\nFloatStorage\n)R.", "calls something that is not a function"),
        (HEAD + ORDERED + b"}X\x01\x00\x00\x00aNsb.", "sets attributes"),
        (HEAD + ORDERED + b"NNs.", "broken"),
        (HEAD + b"})Ns.", "broken"),
        (HEAD + b"NQ.", "not a storage"),
        (HEAD + b"h\x07.", "broken"),
        (HEAD + b"t.", "broken"),
        (HEAD + b"X\xff\xff\xff\x7fabc.", "broken"),
        (HEAD + REBUILD + b"(NK\x00))tR.", "the description of a tensor is not numeric"),
        (HEAD + REBUILD + b")R.", "broken"),
        (HEAD + b"(" * 100_000 + b".", "broken"),
        (HEAD + b"})" + b"\x85" * 1_000_000 + b"Ns.", "broken"),
        (HEAD + b"]K\x00Ns.", "broken"),
        (HEAD + b"]}b.", "sets attributes"),
    ],
)
def test_strange_pickles_are_refused(saved: Path, program: bytes, problem: str) -> None:
    target = saved.with_name("strange.bin")
    rezip(saved, target, {"data.pkl": program})
    with pytest.raises(ModelFileError, match=rf"strange\.bin: .*{problem}"):
        read_torch_file(target)


def test_a_large_memo_index_takes_no_memory(saved: Path) -> None:
    target = saved.with_name("memo.bin")
    rezip(saved, target, {"data.pkl": HEAD + b"Nr\xff\xff\xff\x3f."})
    tracemalloc.start()
    assert read_torch_file(target) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_tensors_beyond_their_storage_are_refused(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        pickled = archive.read("saved/data.pkl")
    wide = pickled.replace(b"K\x03K\x04\x86", b"K\x30K\x04\x86", 1)
    assert wide != pickled
    rezip(saved, saved.with_name("wide.bin"), {"data.pkl": wide})
    with pytest.raises(ModelFileError, match=r"shape \(48, 4\) reaches beyond"):
        read_torch_file(saved.with_name("wide.bin"))
    rezip(saved, saved.with_name("short.bin"), {"data/0": b"\x00" * 8})
    with pytest.raises(ModelFileError, match="data/0 has 8 bytes, but must have 12 numbers of float32"):
        read_torch_file(saved.with_name("short.bin"))


@pytest.mark.parametrize(("shape", "strides"), [
    ((1 << 20, 1 << 20), (0, 0)), ((1 << 40,), (0,)), ((4, 13), (0, 0)), ((7, 6), (1, 1)), ((2,) * 40, (0,) * 40),
])  # fmt: skip
def test_a_small_file_does_not_claim_more_numbers_than_it_holds(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    storage = torch.arange(12.0)  # as_strided reads nothing, so that it can be saved
    torch.save({"a": storage.as_strided(shape, strides)}, tmp_path / "vast.bin")
    with pytest.raises(ModelFileError, match="has more numbers than the 12 of its storage"):
        read_torch_file(tmp_path / "vast.bin")


def test_compressed_and_big_endian_files_are_refused(saved: Path) -> None:
    rezip(saved, saved.with_name("packed.bin"), {}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelFileError, match="is compressed"):
        read_torch_file(saved.with_name("packed.bin"))
    rezip(saved, saved.with_name("big.bin"), {"byteorder": b"big"})
    with pytest.raises(ModelFileError, match="big-endian"):
        read_torch_file(saved.with_name("big.bin"))


def test_the_format_before_zip_is_refused_by_name(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(3)}, tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    with pytest.raises(ModelFileError, match=r"old\.bin: it has the format of torch before version 1\.6"):
        read_torch_file(tmp_path / "old.bin")


def test_a_file_cut_off_anywhere_is_refused(saved: Path) -> None:
    content = saved.read_bytes()
    for length in range(0, len(content), 37):
        saved.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=r"saved\.bin"):
            read_torch_file(saved)


def test_random_damage_never_gives_anything_but_a_clear_error(saved: Path) -> None:
    content, generator = saved.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        spoilt = bytearray(content)
        for place in generator.integers(0, len(content), 4):
            spoilt[place] = generator.integers(0, 256)
        saved.write_bytes(spoilt)
        try:
            tensors = read_torch_file(saved)
            for tensor in tensors.values() if isinstance(tensors, dict) else ():
                if isinstance(tensor, StoredTensor):
                    tensor.read()
        except ModelFileError:
            refused += 1
    assert refused > 50


def test_plain_zips_and_other_files_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.bin", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelFileError, match="zip without data"):
        read_torch_file(tmp_path / "z.bin")
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    (tmp_path / "n.bin").write_bytes(stream.getvalue())
    with pytest.raises(ModelFileError, match="not written by torch"):
        read_torch_file(tmp_path / "n.bin")
