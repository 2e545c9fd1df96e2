"""T5Gemma, the text encoder of Stable Audio 3, as it is published beside the model."""

from __future__ import annotations

from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.tensors import Tensor
from tunesmith.neural.checkpoint.weight_files import naming_folder, read_json, read_weights
from tunesmith.neural.t5 import TOKENIZER, check_tokenizer
from tunesmith.stable_audio.architecture import T5GemmaShape
from tunesmith.stable_audio.checkpoint.canonical_shapes import TEXT_ENCODER, t5gemma_shapes
from tunesmith.stable_audio.checkpoint.placement import Shape, StoredPlace, place_tensors

CONFIG, SENTENCEPIECE = "config.json", "tokenizer.model"
# The sliding window of every second layer is full attention for texts up to its width.
# Prompts have at most 512 tokens: a sliding window of that size or more is full attention.
SHORTEST_WINDOW = 512


def read_t5gemma(folder: Path) -> tuple[T5GemmaShape, dict[str, Tensor], Path]:
    """Return the shape, the tensors and the tokenizer's file of T5Gemma's encoder.

    The tokenizer is ``tokenizer.json``, or ``tokenizer.model`` where there is only that. Raises ModelFileError if a
    file is missing or broken, or a tensor has another shape.
    """
    with naming_folder(folder.name):
        return _read(folder)


def _read(folder: Path) -> tuple[T5GemmaShape, dict[str, Tensor], Path]:
    settings = ConfigReader(CONFIG, read_json(folder / CONFIG))
    settings.one_of("model_type", ("t5gemma",))
    shape = _read_shape(settings.section("encoder"))
    tokenizer = folder / SENTENCEPIECE
    if (folder / TOKENIZER).is_file() or not tokenizer.is_file():
        tokenizer = check_tokenizer(folder, shape.vocabulary_size)
    file, tensors = read_weights(folder)
    return shape, place_tensors(tensors, t5gemma_shapes(shape), _find, file), tokenizer


def _find(name: str, _: Shape) -> StoredPlace:
    return StoredPlace((f"model.encoder.{name.removeprefix(TEXT_ENCODER)}",))


def _read_shape(encoder: ConfigReader) -> T5GemmaShape:
    encoder.one_of("hidden_activation", ("gelu_pytorch_tanh",), "gelu_pytorch_tanh")
    encoder.one_of("attention_bias", (False,), False)
    heads = encoder.integer("num_attention_heads")
    encoder.one_of("num_key_value_heads", (heads,), heads)
    window = encoder.integer("sliding_window", 4096)
    if window < SHORTEST_WINDOW:
        raise encoder.error("sliding_window", f"must be at least {SHORTEST_WINDOW}, the longest prompt, got {window}")
    head_size = encoder.integer("head_dim", 256)
    return T5GemmaShape(
        hidden_size=encoder.integer("hidden_size"), num_layers=encoder.integer("num_hidden_layers", most=1000),
        num_heads=heads, head_size=head_size, ffn_size=encoder.integer("intermediate_size"),
        vocabulary_size=encoder.integer("vocab_size"), rope_theta=_rope_theta(encoder),
        score_cap=encoder.number("attn_logit_softcapping", 50.0),
        query_scalar=encoder.number("query_pre_attn_scalar", float(head_size)),
        epsilon=encoder.number("rms_norm_eps", 1e-6),
    )  # fmt: skip


def _rope_theta(encoder: ConfigReader) -> float:
    """Return the base of the rotary positions, which newer files have in a section of its own."""
    if "rope_parameters" not in encoder.values:
        return encoder.number("rope_theta", 10_000.0)
    rope = encoder.section("rope_parameters")
    # Newer files may have one section for each kind of layer.
    if "rope_theta" not in rope.values:
        sections = [rope.section(name) for name in rope.values]
        thetas = {section.number("rope_theta") for section in sections}
        if len(thetas) != 1:
            raise ModelFileError(encoder.file, f"{rope.path}rope_theta: there is not one for every layer")
        return thetas.pop()
    rope.one_of("rope_type", ("default",), "default")
    return rope.number("rope_theta")
