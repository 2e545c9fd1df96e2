"""T5: the shape of its encoder, the tensors in a checkpoint, and the buckets of relative positions."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.tensor_shapes import Named, Shapes, select
from tunesmith.neural.checkpoint.tensors import Tensor
from tunesmith.neural.checkpoint.weight_files import read_json, read_weights

CONFIG, TOKENIZER = "config.json", "tokenizer.json"
PREFIX, EMBEDDING = "text_encoder.encoder.", "text_encoder.shared.weight"
"""The names of T5's tensors, in whatever layout a checkpoint has them."""


Activation = Literal["relu", "gelu", "gelu_new"]
FEED_FORWARDS: dict[str, tuple[Activation, bool]] = {
    "relu": ("relu", False), "gelu": ("gelu", False), "gated-gelu": ("gelu_new", True),
    "gated-gelu_new": ("gelu_new", True),
}  # fmt: skip
"""T5's names of feed-forward layers: the activation, and whether they are gated."""


@dataclass(frozen=True, slots=True)
class T5Shape:
    """The shape of T5's encoder.

    ``gated`` feed-forward layers (T5 1.1) have two input projections, the others (T5) have one.
    """

    hidden_size: int
    num_layers: int
    num_heads: int
    head_size: int
    ffn_size: int
    vocabulary_size: int
    relative_buckets: int = 32
    relative_max_distance: int = 128
    activation: Literal["relu", "gelu", "gelu_new"] = "relu"
    gated: bool = False
    epsilon: float = 1e-6


def tensor_shapes(t5: T5Shape) -> Shapes:
    """Return the tensor shapes of the encoder, with the embeddings under one name, ``text_encoder.shared``."""
    return {f"text_encoder.{name}": shape for name, shape in _tensor_shapes(t5)}


def _tensor_shapes(text: T5Shape) -> Named:
    hidden, inner = text.hidden_size, text.num_heads * text.head_size
    yield "shared.weight", (text.vocabulary_size, hidden)
    bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    yield bias, (text.relative_buckets, text.num_heads)
    for layer in range(text.num_layers):
        prefix = f"encoder.block.{layer}.layer."
        yield f"{prefix}0.layer_norm.weight", (hidden,)
        for projection in "qkv":
            yield f"{prefix}0.SelfAttention.{projection}.weight", (inner, hidden)
        yield f"{prefix}0.SelfAttention.o.weight", (hidden, inner)
        yield f"{prefix}1.layer_norm.weight", (hidden,)
        for projection in ("wi_0", "wi_1") if text.gated else ("wi",):
            yield f"{prefix}1.DenseReluDense.{projection}.weight", (text.ffn_size, hidden)
        yield f"{prefix}1.DenseReluDense.wo.weight", (hidden, text.ffn_size)
    yield "encoder.final_layer_norm.weight", (hidden,)


def read_shape(settings: ConfigReader) -> T5Shape:
    """Read the shape from the encoder's section of a configuration. Raises ModelFileError."""
    word = settings.one_of("feed_forward_proj", tuple(FEED_FORWARDS), "relu")
    activation, gated = FEED_FORWARDS[word]
    return T5Shape(
        hidden_size=settings.integer("d_model", 512), num_layers=settings.integer("num_layers", 6, most=1000),
        num_heads=settings.integer("num_heads", 8), head_size=settings.integer("d_kv", 64),
        ffn_size=settings.integer("d_ff", 2048), vocabulary_size=settings.integer("vocab_size", 32128),
        relative_buckets=settings.integer("relative_attention_num_buckets", 32),
        relative_max_distance=settings.integer("relative_attention_max_distance", 128),
        activation=activation, gated=gated, epsilon=settings.number("layer_norm_epsilon", 1e-6),
    )  # fmt: skip


def share_embeddings(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the embeddings under the name ``shared``: checkpoints store them under one or both of their names."""
    shared, own = f"{prefix}shared.weight", f"{prefix}encoder.embed_tokens.weight"
    return {shared: tensors[own]} if own in tensors and shared not in tensors else {}


def read_t5(folder: Path, tokenizer_folder: Path | None = None) -> tuple[T5Shape, dict[str, Tensor], Path]:
    """Return the shape, the tensors and the tokenizer's file of T5 in a repository of its own.

    ``tokenizer_folder`` holds the tokenizer where it is not beside the weights. Raises ModelFileError if a file is
    missing or broken, or a tensor has another shape.
    """
    settings = ConfigReader(CONFIG, read_json(folder / CONFIG))
    settings.one_of("model_type", ("t5",))
    shape = read_shape(settings)
    tokenizer = check_tokenizer(tokenizer_folder or folder, shape.vocabulary_size)
    file, tensors = read_weights(folder)
    tensors |= share_embeddings(tensors, "")
    named = {f"text_encoder.{name}": tensor for name, tensor in tensors.items()}
    return shape, select(named, tensor_shapes(shape), file), tokenizer


def check_tokenizer(folder: Path, vocabulary_size: int) -> Path:
    """Return the tokenizer's file. Raises ModelFileError if it is missing, broken or larger than the vocabulary."""
    path = folder / TOKENIZER
    # Older repositories have only SentencePiece's own file.
    if not path.is_file() and (folder / "spiece.model").is_file():
        raise ModelFileError(
            TOKENIZER, f"it is not in {folder}; spiece.model is, but only the fast tokenizer is supported"
        )
    vocabulary = ConfigReader(TOKENIZER, read_json(path)).section("model").optional("vocab")
    if not isinstance(vocabulary, list | dict) or not vocabulary:
        raise ModelFileError(TOKENIZER, "model.vocab: is missing")
    if len(vocabulary) > vocabulary_size:
        problem = f"model.vocab: {len(vocabulary)} pieces, but the text encoder has {vocabulary_size}"
        raise ModelFileError(TOKENIZER, problem)
    return path


def relative_buckets(shape: T5Shape) -> NDArray[np.int64]:
    """Return the bucket of each distance, key - query, from -max_distance to max_distance.

    One half of the buckets is for keys after the query. In each half, the first half holds single distances and the
    rest grow logarithmically; the last bucket holds every distance from max_distance on.
    """
    half = shape.relative_buckets // 2
    exact = half // 2
    distances = np.arange(-shape.relative_max_distance, shape.relative_max_distance + 1)
    away = np.abs(distances)
    # Compute in float32 and in this order, as in training: rounding decides on which side of a bucket's edge a distance
    # falls.
    growth = np.log(np.maximum(away, 1).astype(np.float32) / np.float32(exact))
    scaled = growth / np.float32(log(shape.relative_max_distance / exact)) * np.float32(half - exact)
    far = np.minimum(exact + scaled.astype(np.int64), half - 1)
    buckets: NDArray[np.int64] = np.where(away < exact, away, far) + half * (distances > 0)
    return buckets
