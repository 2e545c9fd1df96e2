"""The nodes that transformers share: activations, norms, rotary positions and attention, each one fused operator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.neural.graph_builder import MICROSOFT, GraphBuilder

END = 2**62
"""The stop of a slice to the end."""


def integers(builder: GraphBuilder, *values: int) -> str:
    """Add a constant list of integers, such as a shape or an axis."""
    return builder.constant(np.array(values, np.int64))


def scalar(builder: GraphBuilder, value: float) -> str:
    """Add a constant number."""
    return builder.constant(np.array(value, np.float32))


def split(builder: GraphBuilder, x: str, parts: int, axis: int = -1) -> list[str]:
    """Cut into equal parts along an axis."""
    return builder.nodes("Split", [x], [None] * parts, axis=axis, num_outputs=parts)


def reshape(builder: GraphBuilder, x: str, *sizes: int) -> str:
    """Give another shape; 0 keeps an axis, -1 is the rest."""
    return builder.node("Reshape", x, integers(builder, *sizes))


def cut(builder: GraphBuilder, x: str, start: int, stop: int, axis: int) -> str:
    """Return the part from ``start`` to ``stop`` along an axis."""
    return builder.node("Slice", x, integers(builder, start), integers(builder, stop), integers(builder, axis))


def expand(builder: GraphBuilder, x: str, *sizes: str) -> str:
    """Repeat along axes of size 1; the sizes are values of shape (1,), one an axis."""
    return builder.node("Expand", x, builder.node("Concat", *sizes, axis=0))


def silu(builder: GraphBuilder, x: str) -> str:
    """Add SiLU: x times its sigmoid (Elfwing and others, 2017)."""
    # ONNX Runtime's QuickGelu, x sigmoid(alpha x), is SiLU at alpha 1: one pass in place of two.
    return builder.node("QuickGelu", x, domain=MICROSOFT, alpha=1.0)


def rms_norm(builder: GraphBuilder, x: str, gain: str, epsilon: float) -> str:
    """Divide by the root mean square of the last axis and multiply by the gain."""
    return builder.node("SimplifiedLayerNormalization", x, gain, axis=-1, epsilon=epsilon)


def add_and_rms_norm(
    builder: GraphBuilder, residual: str, update: str, gain: str, epsilon: float, bias: str = ""
) -> tuple[str, str]:
    """Add an update, with a bias of the last axis, to the residual; return the norm of the sum, and the sum."""
    normed, _, _, total = builder.nodes(
        "SkipSimplifiedLayerNormalization", [residual, update, gain, *([bias] if bias else [])],
        [None, "", "", None], domain=MICROSOFT, epsilon=epsilon,
    )  # fmt: skip
    return normed, total


def layer_norm(builder: GraphBuilder, x: str, gain: str, shift: str, epsilon: float) -> str:
    """Bring the last axis to mean 0 and deviation 1, then multiply by the gain and add the shift."""
    return builder.node("LayerNormalization", x, gain, shift, axis=-1, epsilon=epsilon)


def add_and_layer_norm(
    builder: GraphBuilder, residual: str, update: str, norm: tuple[str, str], epsilon: float, bias: str = ""
) -> tuple[str, str]:
    """Add an update, with a bias of the last axis, to the residual; return the layer norm of the sum, and the sum.

    ``norm`` is the norm's gain and shift.
    """
    normed, _, _, total = builder.nodes(
        "SkipLayerNormalization", [residual, update, *norm, *([bias] if bias else [])],
        [None, "", "", None], domain=MICROSOFT, epsilon=epsilon,
    )  # fmt: skip
    return normed, total


def attention(builder: GraphBuilder, queries: str, keys: str, values: str, num_heads: int, bias: str = "") -> str:
    """Attend: (rows, positions, heads x head) each; the bias (rows, 1, queries, keys) is added to the scores."""
    return builder.node(
        "MultiHeadAttention", queries, keys, values, "", "", bias, domain=MICROSOFT, num_heads=num_heads
    )


@dataclass(frozen=True, slots=True)
class RotaryPositions:
    """Rotary positions from 0 on (Su and others, 2021): the first ``rotary_size`` dimensions of a head are turned.

    The first half of these dimensions is paired with the second.
    """

    num_heads: int
    rotary_size: int
    first: str
    cosines: str
    sines: str

    @classmethod
    def up_to(
        cls, builder: GraphBuilder, positions: int, num_heads: int, rotary_size: int, theta: float = 10_000.0
    ) -> RotaryPositions:
        """Add the tables for this many positions."""
        # In double precision: the angle of a late position has few digits left in single.
        speeds = theta ** -(np.arange(0, rotary_size, 2, dtype=np.float64) / rotary_size)
        angles = np.arange(positions)[:, None] * speeds
        cosines, sines = (builder.constant(turn(angles).astype(np.float32)) for turn in (np.cos, np.sin))
        return cls(num_heads, rotary_size, integers(builder, 0), cosines, sines)

    def turn(self, builder: GraphBuilder, x: str) -> str:
        """Turn queries or keys (rows, positions, heads x head)."""
        return builder.node(
            "RotaryEmbedding", x, self.first, self.cosines, self.sines, domain=MICROSOFT,
            num_heads=self.num_heads, rotary_embedding_dim=self.rotary_size, interleaved=0,
        )  # fmt: skip
