"""Conversion: what the folder holds computes what the reference did, and a wrong checkpoint leaves one clear line."""

from __future__ import annotations

import shutil
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from magenta_checkpoint import CHECKPOINT, MUSICCOCA, quantizer_graph, vocabulary, write_magenta_tree
from magenta_vectors import has_magenta_vectors, magenta_arrays
from tflite_writer import write_tflite

from tunesmith.errors import InvalidRequest, ModelFileError, UnknownName
from tunesmith.magenta_rt.checkpoint.checkpoint import MagentaCheckpoint, open_checkpoint
from tunesmith.magenta_rt.conditioning import SourceTables
from tunesmith.magenta_rt.conversion import QUANTIZATIONS, convert
from tunesmith.magenta_rt.graph.tables import TABLES
from tunesmith.magenta_rt.graph.text_encoder import build_text_encoder
from tunesmith.magenta_rt.model_folder import (
    CODEC,
    EMBEDDING,
    LICENCE,
    STYLE_TABLES,
    TEMPORAL,
    TEXT_ENCODER,
    read_architecture,
)
from tunesmith.magenta_rt.self_check import count_forms, finer_forms, quantize_within_limit, repeat_check
from tunesmith.magenta_rt.style.encoder import KEPT_EMBEDDINGS, StyleEncoder
from tunesmith.magenta_rt.text_encoder_check import AS_BUILT, HALVES, PROMPTS, ROUNDED
from tunesmith.neural.architecture_file import ARCHITECTURE
from tunesmith.neural.gpu_weights import read_gpu_weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.graph_chain import GraphChain
from tunesmith.neural.quantization import BLOCKWISE_32
from tunesmith.neural.reference_graph import ReferenceGraphBuilder
from tunesmith.neural.reference_results import REFERENCE_RESULTS
from tunesmith.neural.sessions import SessionOptions

pytestmark = has_magenta_vectors
ONE_THREAD = SessionOptions(num_threads=1, spinning=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_magenta_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def checkpoint(tree: Path) -> MagentaCheckpoint:
    return open_checkpoint(tree)


@pytest.fixture(scope="module")
def exact(checkpoint: MagentaCheckpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder without quantization."""
    folder = tmp_path_factory.mktemp("exact") / "model"
    convert(checkpoint, folder, "none", lambda _: None)
    return folder


@pytest.fixture(scope="module")
def quantized(checkpoint: MagentaCheckpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("int8") / "model"
    convert(checkpoint, folder, "int8", lambda _: None)
    return folder


def test_the_folder_holds_all_that_runs_and_whose_it_is(quantized: Path, checkpoint: MagentaCheckpoint) -> None:
    names = {path.name for path in quantized.iterdir()}
    assert {
        CODEC,
        TEMPORAL,
        "text_encoder_0.onnx",
        "mapper_0.onnx",
        STYLE_TABLES,
        LICENCE,
        ARCHITECTURE,
        *TABLES,
    } <= names
    text = (quantized / LICENCE).read_text(encoding="utf-8")
    assert "Google LLC" in text
    assert "creativecommons.org/licenses/by/4.0" in text
    assert "Changes:" in text
    architecture = read_architecture(quantized)
    assert architecture == checkpoint.architecture
    assert (architecture.max_prompt_tokens, architecture.prompt_vocabulary_size, architecture.has_mapper) == (
        16,
        60,
        True,
    )


def test_progress_rises_to_one(checkpoint: MagentaCheckpoint, tmp_path: Path) -> None:
    shares: list[float] = []
    convert(checkpoint, tmp_path / "model", "int8-32", shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert 0 < shares[0] < 0.1
    with pytest.raises(UnknownName, match="int4"):
        convert(checkpoint, tmp_path / "other", "int4", shares.append)


def text_error(folder: Path) -> float:
    """Return the largest difference of the text encoder's embeddings from the reference's."""
    expected = magenta_arrays("musiccoca_tiny/text")
    encoder = GraphChain(folder, TEXT_ENCODER, EMBEDDING, ONE_THREAD)
    prompts = zip(expected["ids"], expected["paddings"], expected["embedding"], strict=True)
    return max(
        float(np.abs(encoder.run({"token_ids": ids[padding < 0.5]}) - embedding).max())
        for ids, padding, embedding in prompts
    )


def test_the_text_encoder_computes_what_the_reference_does_without_padding(exact: Path, quantized: Path) -> None:
    assert text_error(exact) <= 1e-5
    assert 2e-3 < text_error(quantized) < 0.1


def test_source_vectors_come_from_the_folder(exact: Path) -> None:
    expected = magenta_arrays("mrt2_tiny/encoder")
    tables = SourceTables.stored(read_gpu_weights(exact / STYLE_TABLES))
    assert np.abs(tables.source(expected["conditioning"]) - expected["source"][0]).max() <= 1e-5


def test_a_blend_lies_between_its_prompts(exact: Path) -> None:
    encoder = StyleEncoder(exact, ONE_THREAD)
    one, other = (encoder.encode([(prompt, 1)], 0) for prompt in PROMPTS[:2])
    assert len(one) == 12
    assert all(0 <= code < 16 for code in one)
    assert one != other
    assert encoder.encode([(PROMPTS[0], 3), (PROMPTS[1], 0)], 0) == one
    assert encoder.encode([(PROMPTS[0], 0.5), (PROMPTS[0], 0.5)], 0) == one
    assert encoder.encode([(PROMPTS[0].upper(), 1)], 0) == one
    steps = [encoder.encode([(PROMPTS[0], 1 - share), (PROMPTS[1], share)], 0) for share in (0.0, 0.5, 1.0)]
    assert (steps[0], steps[2]) == (one, other)
    # The embeddings are kept, so that only the weights are computed anew; those used least are forgotten.
    for number in range(KEPT_EMBEDDINGS + 1):
        encoder.embed(f"prompt {number}", 0)
    assert encoder.encode([(PROMPTS[0], 1)], 0) == one
    assert encoder.encode([(PROMPTS[0], 1)], 2**32) == one


def test_another_seed_is_another_interpretation_where_there_is_a_mapper(exact: Path, tmp_path: Path) -> None:
    encoder = StyleEncoder(exact, ONE_THREAD)
    assert not np.allclose(encoder.embed("calm piano", 0), encoder.embed("calm piano", 1), atol=1e-3)
    without = open_checkpoint(write_magenta_tree(tmp_path / "tree", mapper=False))
    convert(without, tmp_path / "model", "none", lambda _: None)
    plain = StyleEncoder(tmp_path / "model", ONE_THREAD)
    assert not list((tmp_path / "model").glob("mapper*"))
    assert np.array_equal(plain.embed("calm piano", 0), plain.embed("calm piano", 1))


def test_a_long_prompt_is_cut_and_says_so(exact: Path) -> None:
    encoder = StyleEncoder(exact, ONE_THREAD)
    tokens = encoder.tokens("piano " * 20)
    assert (len(tokens.ids), tokens.num_cut) == (16, 5)
    assert tokens.ids[0] == 1
    assert encoder.tokens("").ids == (1,)


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1.0, -0.5), (float("nan"),), (float("inf"),), ("1",), (True,)])
def test_a_blend_of_what_is_no_weight_is_refused(exact: Path, weights: tuple[float, ...]) -> None:
    with pytest.raises(InvalidRequest, match=r"^blend: "):
        StyleEncoder(exact, ONE_THREAD).encode([("piano", weight) for weight in weights], 0)


def test_the_self_check_measures_the_logits_and_can_be_repeated(quantized: Path, checkpoint: MagentaCheckpoint) -> None:
    shares: list[float] = []
    check = quantize_within_limit(quantized, checkpoint, "int8", shares.append)
    assert check.is_within
    assert check.error > 0
    assert 0 < check.bfloat16_error < 0.03
    assert check.forms == {"blockwise8": 26}
    assert shares == sorted(shares)
    assert not [path for path in quantized.iterdir() if path.name.startswith("reference-")]
    again = repeat_check(quantized, check)
    assert again.error == pytest.approx(check.error, rel=0.2)
    (quantized / REFERENCE_RESULTS).write_bytes(b"no archive")
    with pytest.raises(ModelFileError, match="cannot be read"):
        repeat_check(quantized, check)


def test_finer_forms_are_tried_until_the_logits_are_near(
    checkpoint: MagentaCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(checkpoint, tmp_path, "int8", lambda _: None)
    monkeypatch.setattr("tunesmith.magenta_rt.self_check.LIMIT", 0.1)
    check = quantize_within_limit(tmp_path, checkpoint, "int8", lambda _: None)
    assert check.forms == {"float32": 26, HALVES: 1}
    assert 1e-5 < text_error(tmp_path) < 2e-3
    assert check.error < 0.1 * check.bfloat16_error
    forms = finer_forms(checkpoint.architecture, "int8-32")
    assert forms[0].default == BLOCKWISE_32
    # One output of each attention: two a layer of the temporal transformer, one a layer of the depth transformer.
    assert count_forms(checkpoint.architecture, forms[1]) == {"blockwise8-32": 20, "float32": 6}


def test_a_reference_in_bfloat16_rounds_what_a_part_of_the_text_encoder_hands_on(
    checkpoint: MagentaCheckpoint, tmp_path: Path
) -> None:
    build_text_encoder(
        tmp_path,
        lambda path: ReferenceGraphBuilder(path, "bfloat16", rounded=ROUNDED),
        checkpoint.text_shape,
        checkpoint.text,
    )
    first = GraphChain(tmp_path, TEXT_ENCODER, "states_1", AS_BUILT)
    states = first.run({"token_ids": np.arange(3, 9, dtype=np.int64)})
    np.testing.assert_array_equal(states, states.astype(ml_dtypes.bfloat16).astype(np.float32))


def test_the_layers_that_are_counted_are_those_that_are_built(
    checkpoint: MagentaCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    linear = GraphBuilder.linear

    def counted(self: GraphBuilder, x: str, weight: object, bias: object = None, *, layer: str = "") -> str:
        built.append(layer)
        return linear(self, x, weight, bias, layer=layer)  # type: ignore[arg-type]

    monkeypatch.setattr(GraphBuilder, "linear", counted)
    convert(checkpoint, tmp_path, "none", lambda _: None)
    counted_layers = sum(count_forms(checkpoint.architecture, QUANTIZATIONS["none"]).values())
    assert sum(layer.startswith(("x_layers", "head_")) for layer in built) == counted_layers


def changed(tree: Path, target: Path, name: str, content: bytes | None) -> Path:
    """Copy the tree with one file changed, or without it."""
    shutil.copytree(tree, target)
    (target / name).unlink()
    if content is not None:
        (target / name).write_bytes(content)
    return target


@pytest.mark.parametrize(("name", "content", "words"), [
    (CHECKPOINT, None, r"mrt2_small.safetensors: it is not in"),
    (CHECKPOINT, b"{}", r"mrt2_small.safetensors: its header of \d+ bytes does not fit"),
    (f"{MUSICCOCA}/text_encoder.tflite", None, "resources/musiccoca/text_encoder.tflite: it is not in"),
    (f"{MUSICCOCA}/text_encoder.tflite", b"\x1c\0\0\0TFL3", "resources/musiccoca/text_encoder.tflite: it is cut"),
    (f"{MUSICCOCA}/mapper.tflite", b"GIF89a..........", "resources/musiccoca/mapper.tflite: it is not a TFLite file"),
    (f"{MUSICCOCA}/spm.model", None, "resources/musiccoca/spm.model: it is not in"),
])  # fmt: skip
def test_a_missing_or_foreign_file_is_named(
    tree: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    with pytest.raises(ModelFileError, match=f"^model file {words}"):
        open_checkpoint(changed(tree, tmp_path / "tree", name, content))


def test_parts_that_do_not_fit_each_other_are_named(tree: Path, tmp_path: Path) -> None:
    books = np.random.default_rng(1).standard_normal((12, 8, 24)).astype(np.float32)
    other = changed(tree, tmp_path / "tree", f"{MUSICCOCA}/pretrained_vector_quantizer.tflite", None)
    write_tflite(other / MUSICCOCA / "pretrained_vector_quantizer.tflite", [quantizer_graph(books)])
    with pytest.raises(ModelFileError, match="must have 16 codes a level as the model, got 8"):
        open_checkpoint(other)
    many = tuple(f"▁{number}" for number in range(61))
    (tree / MUSICCOCA / "spm.model").replace(tmp_path / "spm.model")
    (tree / MUSICCOCA / "spm.model").write_bytes(vocabulary(("<unk>", *many)))
    with pytest.raises(ModelFileError, match=r"spm.model: has 62 pieces, but the text encoder knows 60"):
        convert(open_checkpoint(tree), tmp_path / "model", "none", lambda _: None)
    (tmp_path / "spm.model").replace(tree / MUSICCOCA / "spm.model")
    assert not (tmp_path / "model" / ARCHITECTURE).exists()
