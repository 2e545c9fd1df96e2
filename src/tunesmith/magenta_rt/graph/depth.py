"""The depth transformer as a graph: the input of one level of every row in, the logits of its codes out.

    depth_input (rows, 1, hidden) -> logits_0 … logits_11 (rows, codebook size), one of which a run computes

The memories ``self_i_key`` and ``self_i_value`` (rows, heads, levels, head) hold the levels of one frame. Each level
has a head of its own, so a run asks for the logits of its level alone.
"""

from __future__ import annotations

import numpy as np

from tunesmith.magenta_rt.architecture import RESERVED_IDS, MagentaArchitecture
from tunesmith.magenta_rt.graph.names import DEPTH_STACK, FINAL_NORM, LOGITS
from tunesmith.magenta_rt.graph.stack import EPSILON, StackNodes, Weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import layer_norm, reshape, scalar


def build_depth(builder: GraphBuilder, architecture: MagentaArchitecture, weights: Weights) -> None:
    """Build the graph described above."""
    shape = architecture.depth
    nodes = StackNodes(builder, shape, weights, DEPTH_STACK)
    x = builder.input("depth_input", np.float32, ["rows", 1, shape.hidden_size])
    nodes.declare_lengths()
    parts = [f"x_layers_{layer}/{part}" for layer in range(shape.num_layers) for part in ("self_attention", "ffn")]
    normed = nodes.first_norm(x, parts[0])
    for number, part in enumerate(parts):
        if part.endswith("self_attention"):
            update = nodes.self_attention(normed, part, f"self_{number // 2}")
        else:
            update = nodes.feed_forward(normed, part)
        following = parts[number + 1] if number + 1 < len(parts) else None
        normed, x = nodes.add_part(x, update, part, following)
    gain, shift = (builder.constant(weights[f"{FINAL_NORM}/{name}"]) for name in ("scale", "bias"))
    states = reshape(builder, layer_norm(builder, x, gain, shift, EPSILON), -1, shape.hidden_size)
    for level in range(architecture.num_codebooks):
        _add_head(builder, architecture, weights, states, level)


def _add_head(
    builder: GraphBuilder, architecture: MagentaArchitecture, weights: Weights, states: str, level: int
) -> None:  # fmt: skip
    """Add the logits of a level, which are soft-capped."""
    size, cap = architecture.codebook_size, architecture.logit_cap
    own = slice(RESERVED_IDS + level * size, RESERVED_IDS + (level + 1) * size)
    kernel, bias = weights[f"{LOGITS}/kernel"][:, own].T, weights[f"{LOGITS}/bias"][own]
    scores = builder.linear(states, np.ascontiguousarray(kernel), bias, layer=f"head_{level}")
    bounded = builder.node("Tanh", builder.node("Mul", scores, scalar(builder, 1 / cap)))
    builder.nodes("Mul", [bounded, scalar(builder, cap)], [f"logits_{level}"])
    builder.output(f"logits_{level}", np.float32, ["rows", size])
