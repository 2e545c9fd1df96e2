"""MusicCoCa's TFLite files: every tensor comes back under its short name, and a wrong file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from magenta_checkpoint import (
    codebooks,
    mapper_graphs,
    mapper_weights,
    quantizer_graph,
    text_graph,
    text_weights,
    write_style_files,
)
from tflite_writer import FULLY_CONNECTED, Graph, write_tflite

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.checkpoint.mapper import read_codebooks, read_mapper
from tunesmith.magenta_rt.checkpoint.text_encoder import read_text_encoder
from tunesmith.magenta_rt.style.shapes import MapperShape, TextEncoderShape


@pytest.fixture(scope="module")
def style_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_style_files(tmp_path_factory.mktemp("musiccoca"))


def test_the_text_encoder_is_read_with_its_sizes(style_files: Path) -> None:
    shape, tensors = read_text_encoder(style_files / "text_encoder.tflite")
    expected = text_weights()
    assert shape == TextEncoderShape(24, 2, 2, 8, 40, vocabulary_size=60, max_tokens=16, pooler_size=6)
    read = {name: tensor.read() for name, tensor in tensors.items()}
    assert sum(array.size for array in read.values()) == sum(array.size for array in expected.values())
    assert np.array_equal(read["token_embedding"], expected["token_emb"])
    assert np.array_equal(read["layers.1.q.weight"], expected["layers.1.q.kernel"].reshape(24, 16).T)
    assert np.array_equal(read["layers.0.k.weight"], expected["layers.0.k.kernel"].reshape(24, 16).T)
    assert np.array_equal(read["layers.0.v.weight"], expected["layers.0.v.kernel"].reshape(24, 16).T)
    assert np.array_equal(read["layers.1.ffn2.weight"], expected["layers.1.ffn2.kernel"].T)
    assert np.array_equal(read["layers.0.norm2.bias"], expected["layers.0.ln2.bias"])
    assert np.array_equal(read["pooler.post.weight"], expected["pooler.post.kernel"].reshape(24, 12))
    assert np.array_equal(read["pooler.query"], expected["pooler.query"])


def test_the_mapper_is_cut_into_its_layers(style_files: Path) -> None:
    shape, tensors = read_mapper(style_files / "mapper.tflite", 24)
    expected = mapper_weights()
    assert shape == MapperShape(16, 4, 2, 2, 8, 24, context_size=8, text_width=24)
    read = {name: tensor.read() for name, tensor in tensors.items()}
    assert sum(array.size for array in read.values()) == sum(array.size for array in expected.values())
    assert np.array_equal(read["layers.1.qkv"], expected["layers.1.qkv.kernel"])
    assert np.array_equal(read["layers.0.cond2.weight"], expected["layers.0.cond2.kernel"])
    assert np.array_equal(read["input.weight"], expected["input_proj.kernel"])
    assert np.array_equal(read["context"], expected["context"])


def test_the_codebooks_are_read_from_the_products(style_files: Path) -> None:
    assert np.array_equal(read_codebooks(style_files / "pretrained_vector_quantizer.tflite", 24), codebooks())


def without(graph: Graph, part: str) -> Graph:
    return Graph({name: array for name, array in graph.constants.items() if part not in name}, graph.operations)


def with_shape(graph: Graph, part: str, shape: tuple[int, ...]) -> Graph:
    changed = {name: np.zeros(shape) if part in name else array for name, array in graph.constants.items()}
    return Graph(changed, graph.operations)


@pytest.mark.parametrize(("change", "words"), [
    (lambda graph: without(graph, "x_layers_1/self_attention/post/einsum"),
     r"x_layers_1/self_attention/post/einsum of shape \(24, 16\) is missing"),
    (lambda graph: with_shape(graph, "x_layers_1/ff_layer/ffn_layer2/linear", (24, 41)),
     r"x_layers_1/\.\*ffn_layer2/linear must have shape \(24, 40\), got \(24, 41\)"),
    (lambda graph: without(graph, "x_layers_0/"), r"x_layers: must be numbered from 0 on, got \[1\]"),
    (lambda graph: without(graph, "position_emb"), "position_emb with 3 axes is missing"),
    (lambda graph: without(graph, "emb_lookup"), ".*emb with 2 axes is missing"),
    (lambda graph: Graph({**graph.constants, "x/x_layers_0/self_attention/post/einsum": np.ones((24, 16))}),
     r"2 tensors of shape \(24, 16\) are called x_layers_0/self_attention/post/einsum, not one"),
])  # fmt: skip
def test_what_the_text_encoder_lacks_is_named(tmp_path: Path, change: object, words: str) -> None:
    assert callable(change)
    path = write_tflite(tmp_path / "text_encoder.tflite", [change(text_graph(text_weights()))])
    with pytest.raises(ModelFileError, match=f"^model file text_encoder.tflite: {words}$"):
        read_text_encoder(path)


def test_what_the_mapper_lacks_is_named(tmp_path: Path) -> None:
    path, graphs = tmp_path / "mapper.tflite", mapper_graphs(mapper_weights())
    with pytest.raises(ModelFileError, match=r"\^jax2tf_arg_5/ is in none of its 2 graphs"):
        read_mapper(write_tflite(path, graphs[:2]), 24)
    with pytest.raises(ModelFileError, match=r"input_projection must have shape \(64, 25\), got \(64, 24\)"):
        read_mapper(write_tflite(path, graphs), 25)
    wrong = [*graphs[:2], with_shape(graphs[2], "jax2tf_arg_8/", (2, 16, 2, 9))]
    with pytest.raises(ModelFileError, match=r"jax2tf_arg_8/ must have shape \(2, 16, 2, 8\), got \(2, 16, 2, 9\)"):
        read_mapper(write_tflite(path, wrong), 24)


def test_wrong_codebooks_are_named(tmp_path: Path) -> None:
    path, books = tmp_path / "quantizer.tflite", codebooks()
    with pytest.raises(ModelFileError, match=r"codebook 0 must have shape \(codes, 25\), got \(16, 24\)"):
        read_codebooks(write_tflite(path, [quantizer_graph(books)]), 25)
    with pytest.raises(ModelFileError, match="must multiply by 12 codebooks, got 11"):
        read_codebooks(write_tflite(path, [quantizer_graph(books[1:])]), 24)
    with pytest.raises(ModelFileError, match="codebook 3: its bias is not the squared lengths of its codes"):
        read_codebooks(write_tflite(path, [with_shape(quantizer_graph(books), "#3 reduce_sum", (16,))]), 24)
    computed = Graph({}, [(FULLY_CONNECTED, ("", "", ""))] * 12)
    with pytest.raises(ModelFileError, match="codebook 0: its product has no weight and bias that are constants"):
        read_codebooks(write_tflite(path, [computed]), 24)
