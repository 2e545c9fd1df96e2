"""The depth transformer as a graph: the input of one level of every row in, the logits of its codes out.

    depth_input (rows, 1, hidden) -> logits (rows, codebook size)

The memories ``self_i_key`` and ``self_i_value`` (rows, heads, levels, head) hold the levels of one frame. Each level
has a head of its own: ``rows_by_level`` (levels,) is the number of rows at the present level and 0 for all others, so
that the heads of the others multiply no row, which takes no time.
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
    _add_heads(builder, architecture, weights, states)


def _add_heads(builder: GraphBuilder, architecture: MagentaArchitecture, weights: Weights, states: str) -> None:
    """Add the logits of the present level, which are soft-capped."""
    levels, size, cap = architecture.num_codebooks, architecture.codebook_size, architecture.logit_cap
    counts = builder.input("rows_by_level", np.int64, [levels])
    # Only the 1,024 ids of its own level are allowed at a level: one head each is a twelfth of the work.
    kernel, bias = weights[f"{LOGITS}/kernel"][:, RESERVED_IDS:].T, weights[f"{LOGITS}/bias"][RESERVED_IDS:]
    parts = builder.nodes("Split", [states, counts], [None] * levels, axis=0)
    products = [
        builder.linear(part, np.ascontiguousarray(kernel[level * size : (level + 1) * size]), layer=f"head_{level}")
        for level, part in enumerate(parts)
    ]
    # All rows of a step are at one level, the only one whose count is not 0.
    present = builder.node("ArgMax", counts, axis=0, keepdims=1)
    own_bias = builder.node("Gather", builder.constant(bias.reshape(levels, size)), present)
    scores = builder.node("Add", builder.node("Concat", *products, axis=0), own_bias)
    bounded = builder.node("Tanh", builder.node("Mul", scores, scalar(builder, 1 / cap)))
    builder.nodes("Mul", [bounded, scalar(builder, cap)], ["logits"])
    builder.output("logits", np.float32, ["rows", size])
