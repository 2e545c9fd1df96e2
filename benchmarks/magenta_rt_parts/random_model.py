"""A model folder of the real size with random weights, made by the code that conversion uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models

from random_weights import RandomWeights
from tunesmith.magenta_rt.architecture import MAGENTA_RT_2_SMALL
from tunesmith.magenta_rt.checkpoint.published_shapes import published_shapes
from tunesmith.magenta_rt.conditioning import SourceTables
from tunesmith.magenta_rt.conversion import build_language_model
from tunesmith.magenta_rt.graph.codec import build_codec
from tunesmith.magenta_rt.graph.mapper import build_mapper
from tunesmith.magenta_rt.graph.tables import write_tables
from tunesmith.magenta_rt.graph.text_encoder import build_text_encoder
from tunesmith.magenta_rt.model_folder import CODEC, STYLE_TABLES, TOKENIZER, write_architecture
from tunesmith.magenta_rt.style.quantizer import codebook_name
from tunesmith.magenta_rt.style.shapes import MapperShape, TextEncoderShape
from tunesmith.neural.gpu_weights import write_gpu_weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import BLOCKWISE, BLOCKWISE_32, LayerForms

TEXT = TextEncoderShape(
    width=768, num_layers=12, num_heads=12, head_size=64, ffn_size=3072, vocabulary_size=16_000, max_tokens=128,
    pooler_size=256,
)  # fmt: skip
MAPPED = MapperShape(
    width=256, num_tokens=12, num_layers=8, num_heads=8, head_size=64, ffn_size=1024, context_size=128, text_width=768
)
WORDS = ("<unk>", "<s>", "</s>", "▁", "▁lofi", "▁hip", "▁hop", "▁with", "▁rain", "▁techno", "▁piano", "▁calm")


def write_model(folder: Path) -> Path:
    """Write the model folder, unless it is there."""
    if (folder / "architecture.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    architecture, weights = MAGENTA_RT_2_SMALL, RandomWeights(published_shapes(MAGENTA_RT_2_SMALL), _scaled)
    build_language_model(folder, architecture, weights, LayerForms.all(BLOCKWISE))
    with GraphBuilder(folder / CODEC) as builder:
        build_codec(builder, architecture, weights)
    write_tables(folder, architecture, weights, exact=False)
    _write_style(folder, weights)
    write_architecture(folder, architecture)
    return folder


def _write_style(folder: Path, weights: Mapping[str, NDArray[np.float32]]) -> None:
    text = RandomWeights(dict(_text_shapes(TEXT)), _scaled)
    mapped = RandomWeights(dict(_mapper_shapes(MAPPED)), _scaled)
    build_text_encoder(folder, lambda path: GraphBuilder(path, BLOCKWISE_32), TEXT, text)
    build_mapper(folder, MAPPED, mapped, exact=False)
    books = {codebook_name(level): (1024, TEXT.width) for level in range(12)}
    tables = {**RandomWeights(books, _scaled), **SourceTables.from_weights(weights).named()}
    write_gpu_weights(folder / STYLE_TABLES, tables, tables, lambda _: True)
    Tokenizer(models.Unigram([(word, -float(len(word))) for word in WORDS], 0)).save(str(folder / TOKENIZER))


def _text_shapes(shape: TextEncoderShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, pooled = shape.width, shape.pooled_size
    yield "token_embedding", (shape.vocabulary_size, width)
    yield "position_embedding", (shape.max_tokens, width)
    yield "pooler.query", (shape.num_heads, shape.pooler_size)
    linears = {"pooler.key": (pooled, width), "pooler.value": (pooled, width), "pooler.post": (width, pooled)}
    norms = ["pooler.norm", "final_norm"]
    for layer in range(shape.num_layers):
        own = f"layers.{layer}."
        linears |= {f"{own}{name}": (shape.attention_size, width) for name in "qkv"}
        linears |= {f"{own}post": (width, shape.attention_size)}
        linears |= {f"{own}ffn1": (shape.ffn_size, width), f"{own}ffn2": (width, shape.ffn_size)}
        norms += [f"{own}norm1", f"{own}norm2"]
    for name, size in linears.items():
        yield f"{name}.weight", size
        yield f"{name}.bias", size[:1]
    for name in norms:
        yield f"{name}.scale", (width,)
        yield f"{name}.bias", (width,)


def _mapper_shapes(shape: MapperShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    inner = shape.num_tokens * shape.width
    yield "context", (shape.context_size,)
    yield "input.weight", (shape.text_width, inner)
    yield "input.bias", (inner,)
    yield "output.weight", (inner, shape.text_width)
    yield "output.bias", (shape.text_width,)
    for layer in range(shape.num_layers):
        for name, size in shape.layer_shapes().items():
            yield f"layers.{layer}.{name}", size


def _scaled(name: str, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return numbers whose sums keep their size."""
    leaf = name.rpartition("/")[2].rpartition(".")[2]
    if leaf == "scale":
        return 1 + np.float32(0.1) * numbers
    if leaf in ("bias", "per_dim_scale"):
        return np.float32(0.1) * numbers
    return numbers * np.float32(_fan_in(name, numbers.shape) ** -0.5)


def _fan_in(name: str, shape: tuple[int, ...]) -> int:
    if "output_projection" in name:
        return shape[1] * shape[2]
    if name.endswith("kernel"):
        return prod(shape[:3]) if len(shape) == 4 else shape[0]
    return shape[-1]
