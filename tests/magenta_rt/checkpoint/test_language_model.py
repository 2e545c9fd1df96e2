"""The published safetensors: every tensor has its place, in any number type, and a wrong one is named."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path

import numpy as np
import pytest
from magenta_checkpoint import Arrays, tiny_weights, write_safetensors
from magenta_vectors import MAGENTA_VECTORS, TINY_WEIGHTS, has_magenta_vectors

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.architecture import MAGENTA_RT_2_SMALL, StackShape
from tunesmith.magenta_rt.checkpoint.language_model import read_language_model
from tunesmith.magenta_rt.checkpoint.published_shapes import published_shapes

pytestmark = has_magenta_vectors
HEAD = "params/depthformer/decoder/depth_body/to_logits/kernel"


@pytest.fixture(scope="module")
def weights() -> Arrays:
    return tiny_weights()


def test_the_names_and_shapes_are_those_of_the_published_model() -> None:
    text = (MAGENTA_VECTORS / "names_small.txt").read_text(encoding="utf-8")
    listed = {}
    for line in text.splitlines():
        found = re.fullmatch(r"(\S+) \(([\d, ]+)\) float32", line)
        assert found, line
        listed[found[1]] = tuple(int(size) for size in found[2].split(",") if size.strip())
    shapes = published_shapes(MAGENTA_RT_2_SMALL)
    assert shapes == listed
    assert sum(map(prod, shapes.values())) == 282_194_376
    language_model = (shape for name, shape in shapes.items() if name.startswith("params/depthformer/"))
    assert sum(map(prod, language_model)) == 229_732_614


def test_the_sizes_are_read_from_the_shapes() -> None:
    architecture, tensors = read_language_model(TINY_WEIGHTS)
    assert architecture.temporal == StackShape(32, 2, 2, 16, 64)
    assert architecture.depth == StackShape(24, 2, 3, 8, 48)
    assert (architecture.num_codebooks, architecture.codebook_size, architecture.style_codebook_size) == (4, 16, 16)
    assert (architecture.source_width, architecture.style_width, architecture.window_frames) == (12, 20, 41)
    assert architecture.codec.channels == (32, 8, 8, 8, 4, 4, 2)
    assert (architecture.codec.frame_size, architecture.frame_rate) == (1920, 25)
    assert set(tensors) == set(published_shapes(architecture, 6))


@pytest.mark.parametrize(("dtype", "tolerance"), [("F32", 0.0), ("BF16", 2**-8), ("F16", 2**-10)])
def test_every_published_number_type_is_read(tmp_path: Path, weights: Arrays, dtype: str, tolerance: float) -> None:
    _, tensors = read_language_model(write_safetensors(tmp_path / "mrt2_small.safetensors", weights, dtype))
    for name, tensor in tensors.items():
        assert np.allclose(tensor.read(), weights[name], rtol=tolerance, atol=1e-6)


def cut_head(weights: Arrays) -> None:
    weights[HEAD] = weights[HEAD][:, :-1]


def drop_head(weights: Arrays) -> None:
    del weights[HEAD]


def drop_layer(weights: Arrays) -> None:
    for name in [name for name in weights if "temporal_body/transformer/x_layers_0/" in name]:
        del weights[name]


def make_base(weights: Arrays) -> None:
    name = "params/depthformer/decoder/temporal_body/transformer/x_layers_0/self_attention/attention/query_projection"
    weights[f"{name}/kernel"] = np.zeros((3072, 1, 1), np.float32)


def drop_codec(weights: Arrays) -> None:
    for name in [name for name in weights if "soundstream" in name]:
        del weights[name]


def cut_quantizer(weights: Arrays) -> None:
    weights["params/soundstream/quantizer/embedding"] = weights["params/soundstream/quantizer/embedding"][:3]


@pytest.mark.parametrize(("change", "words"), [
    (cut_head, rf"{HEAD} must have shape \(24, 70\), got \(24, 69\)"),
    (drop_head, rf"{HEAD} of shape \(24, 70\) is missing"),
    (drop_layer, r"params/.*/temporal_body/transformer/x_layers must be numbered from 0 on, got \[1\]"),
    (make_base, "its layers are 3072 numbers wide: mrt2_base is too large for a processor: use magenta-rt2-small"),
    (drop_codec, "params/soundstream/quantizer/embedding is missing: this is not a checkpoint of Magenta RealTime 2"),
    (cut_quantizer, "params/soundstream/quantizer/embedding: must have at least 4 levels, got 3"),
])  # fmt: skip
def test_a_wrong_tensor_is_named(tmp_path: Path, weights: Arrays, change: object, words: str) -> None:
    changed = dict(weights)
    assert callable(change)
    change(changed)
    path = write_safetensors(tmp_path / "mrt2_small.safetensors", changed)
    with pytest.raises(ModelFileError, match=f"^model file mrt2_small.safetensors: {words}$"):
        read_language_model(path)


def test_foreign_and_truncated_files_are_refused(tmp_path: Path, weights: Arrays) -> None:
    path = tmp_path / "mrt2_small.safetensors"
    write_safetensors(path, {"model.weight": np.ones((2, 2), np.float32)})
    with pytest.raises(ModelFileError, match="x_layers_0 is missing: this is not a checkpoint of Magenta RealTime 2"):
        read_language_model(path)
    whole = write_safetensors(path, weights).read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(ModelFileError, match="it is cut off"):
        read_language_model(path)
    write_safetensors(path, {name: array.astype(np.float32) for name, array in weights.items()})
    path.write_bytes(path.read_bytes().replace(b'"F32"', b'"I32"'))
    with pytest.raises(ModelFileError, match="must be float32, bfloat16, float16, got int32"):
        read_language_model(path)
