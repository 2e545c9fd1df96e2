from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lazy_modules import LazyModule

from tunesmith.neural.checkpoint.tensors import LazyWeights
from tunesmith.neural.checkpoint.weight_files import read_tensors

if TYPE_CHECKING:
    import safetensors.torch as safetensors_torch
    import torch
else:
    safetensors_torch = LazyModule("safetensors.torch")
    torch = LazyModule("torch")

MEGABYTE = 2**20


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
def test_no_more_than_one_tensor_is_in_memory(tmp_path: Path, file: str, kind: Any) -> None:
    tensors = {f"layer.{i}": torch.full((512, 512), i, dtype=getattr(torch, kind)) for i in range(64)}
    save: Any = safetensors_torch.save_file if file.endswith("safetensors") else torch.save
    save(tensors, tmp_path / file)
    del tensors
    tracemalloc.start()
    for name, weight in LazyWeights(read_tensors(tmp_path / file)).items():
        assert weight[0, 0] == int(name.removeprefix("layer."))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * MEGABYTE  # of 64 as float32: one is being read while the last is still held
