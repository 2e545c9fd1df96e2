"""The temporal transformer as a graph: one frame of every row in, the input of the depth transformer out.

    frame (rows, 1, hidden), source (rows, 1, source width) -> depth_input (rows, 1, depth hidden)

Each layer attends to the row's own past and to the sources of this and past frames. Its memories ``self_i_key``,
``self_i_value``, ``cross_i_key`` and ``cross_i_value`` (rows, heads, capacity, head) begin with the sink, an embedding
that every frame sees, and get the present frame appended in place. Nothing has a position: the order of the past does
not matter.
"""

from __future__ import annotations

import numpy as np

from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.graph.names import DEPTH_ADAPTER, TEMPORAL_STACK
from tunesmith.magenta_rt.graph.stack import StackNodes, Weights
from tunesmith.neural.graph_builder import GraphBuilder


def build_temporal(builder: GraphBuilder, architecture: MagentaArchitecture, weights: Weights) -> None:
    """Build the graph described above."""
    shape = architecture.temporal
    nodes = StackNodes(builder, shape, weights, TEMPORAL_STACK)
    x = builder.input("frame", np.float32, ["rows", 1, shape.hidden_size])
    source = builder.input("source", np.float32, ["rows", 1, architecture.source_width])
    nodes.declare_lengths()
    parts = [
        f"x_layers_{layer}/{part}"
        for layer in range(shape.num_layers)
        for part in ("self_attention", "cross_attention", "ffn")
    ]
    normed = nodes.first_norm(x, parts[0])
    for number, part in enumerate(parts):
        layer = number // 3
        if part.endswith("self_attention"):
            update = nodes.self_attention(normed, part, f"self_{layer}")
        elif part.endswith("cross_attention"):
            update = nodes.cross_attention(normed, source, part, f"cross_{layer}")
        else:
            update = nodes.feed_forward(normed, part)
        following = parts[number + 1] if number + 1 < len(parts) else None
        normed, x = nodes.add_part(x, update, part, following)
    # The adapter is small, and everything that is drawn hangs on it: it stays exact. Equal widths need none.
    if DEPTH_ADAPTER in weights:
        adapted = builder.exact_linear(x, weights[DEPTH_ADAPTER].T)
        builder.nodes("Identity", [adapted], ["depth_input"])
    else:
        builder.nodes("Identity", [x], ["depth_input"])
    builder.output("depth_input", np.float32, ["rows", 1, architecture.depth.hidden_size])
