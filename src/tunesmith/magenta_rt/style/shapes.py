"""The sizes of MusicCoCa's text encoder and mapper."""

from __future__ import annotations

from dataclasses import dataclass

SCORE_CAP = 50.0
"""The attention scores of the text encoder stay within this: cap * tanh(score / cap)."""
# The mapper caps scores lower than the text encoder does.
MAPPER_SCORE_CAP = 30.0
EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class TextEncoderShape:
    """The shape of the text encoder; the pooler has one learned query, and heads of its own size."""

    width: int
    num_layers: int
    num_heads: int
    head_size: int
    ffn_size: int
    vocabulary_size: int
    max_tokens: int
    pooler_size: int

    @property
    def attention_size(self) -> int:
        """Width of all heads of a layer together."""
        return self.num_heads * self.head_size

    @property
    def pooled_size(self) -> int:
        """Width of all heads of the pooler together."""
        return self.num_heads * self.pooler_size


@dataclass(frozen=True, slots=True)
class MapperShape:
    """The shape of the mapper: ``num_tokens`` tokens of ``width``, modulated by a learned context and the embedding."""

    width: int
    num_tokens: int
    num_layers: int
    num_heads: int
    head_size: int
    ffn_size: int
    context_size: int
    text_width: int

    def layer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights of a layer by name; weights are (inputs, …)."""
        modulated = 2 * self.context_size + self.text_width
        heads = (self.num_heads, self.head_size)
        modulation = {"weight": (modulated, 2, self.width), "bias": (2, self.width)}
        return {
            **{f"cond{k}.{name}": size for k in (1, 2) for name, size in modulation.items()},
            "norm1.scale": (self.width,), "norm2.scale": (self.width,), "qkv": (self.width, 3, *heads),
            "sink_key": (1, *heads), "sink_value": (1, *heads), "post": (self.width, *heads),
            "ffn1.weight": (self.width, self.ffn_size), "ffn1.bias": (self.ffn_size,),
            "ffn2.weight": (self.ffn_size, self.width), "ffn2.bias": (self.width,),
        }  # fmt: skip
