"""The mapper and the quantizer against the reference, and their laws."""

from __future__ import annotations

import numpy as np
import pytest
from magenta_checkpoint import codebooks, mapper_graphs, mapper_weights
from magenta_vectors import has_magenta_vectors, magenta_arrays
from tflite_writer import write_tflite

from tunesmith.magenta_rt.checkpoint.mapper import read_mapper
from tunesmith.magenta_rt.graph.mapper import build_mapper
from tunesmith.magenta_rt.style.mapper import Mapper
from tunesmith.magenta_rt.style.quantizer import quantize_style
from tunesmith.neural.checkpoint.tensors import LazyWeights
from tunesmith.neural.sessions import SessionOptions

pytestmark = has_magenta_vectors


@pytest.fixture(scope="module")
def mapper(tmp_path_factory: pytest.TempPathFactory) -> Mapper:
    folder = tmp_path_factory.mktemp("mapper")
    shape, tensors = read_mapper(write_tflite(folder / "mapper.tflite", mapper_graphs(mapper_weights())), 24)
    build_mapper(folder, shape, LazyWeights(tensors), exact=True)
    return Mapper(folder, SessionOptions(num_threads=1, spinning=False))


def test_the_mapper_computes_what_the_reference_does(mapper: Mapper) -> None:
    expected = magenta_arrays("musiccoca_tiny/mapper")
    for text, noise, mapped in zip(expected["text"], expected["noise"], expected["mapped"], strict=True):
        assert np.abs(mapper.apply(text, noise) - mapped).max() <= 1e-5


def test_a_seed_is_one_interpretation_of_length_one(mapper: Mapper) -> None:
    expected = magenta_arrays("musiccoca_tiny/mapper")
    text, length = expected["text"][0], np.linalg.norm(expected["mapped"][0])
    assert np.allclose(expected["style"][0], expected["mapped"][0] / length, atol=1e-6)
    first = mapper.map(text, 0)
    assert first.dtype == np.float32
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(first, mapper.map(text, 0))
    assert not np.allclose(first, mapper.map(text, 1), atol=1e-3)
    mapper.map(text, 2**32 - 1)


def test_the_codes_are_those_of_the_reference() -> None:
    expected = magenta_arrays("musiccoca_tiny/quantizer")
    for embedding, codes in zip(expected["style"], expected["tokens"], strict=True):
        assert quantize_style(embedding, codebooks()) == tuple(codes)


def test_each_level_leaves_less_of_an_embedding_that_is_made_of_codes() -> None:
    books = codebooks()
    codes = tuple(range(12))
    embedding = np.sum([books[level][code] * 4.0**-level for level, code in enumerate(codes)], axis=0)
    scaled = [book * np.float32(4.0**-level) for level, book in enumerate(books)]
    found = quantize_style(embedding.astype(np.float32), scaled)
    rest = embedding - np.sum([scaled[level][code] for level, code in enumerate(found)], axis=0)
    assert np.linalg.norm(rest) < 0.01 * np.linalg.norm(embedding)
