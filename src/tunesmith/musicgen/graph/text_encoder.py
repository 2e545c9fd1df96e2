"""The text encoder as a graph: T5's encoder and the projection to the decoder's width.

    token_ids (1, tokens) -> states (tokens, hidden)

The graph encodes one text at a time, so it needs no padding or mask.
"""

from __future__ import annotations

import numpy as np

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.t5_encoder import add_t5_encoder

PROJECTION = "enc_to_dec_proj"


def build_text_encoder(builder: GraphBuilder, architecture: Architecture, weights: Weights) -> None:
    """Build the graph described above. A checkpoint may lack the projection only if the two widths are equal."""
    encoded = add_t5_encoder(builder, architecture.text_encoder, weights)
    width = architecture.decoder.hidden_size
    if f"{PROJECTION}.weight" in weights or architecture.text_encoder.hidden_size != width:
        encoded = builder.linear(encoded, weights[f"{PROJECTION}.weight"], weights[f"{PROJECTION}.bias"])
    builder.nodes("Identity", [encoded], ["states"])
    builder.output("states", np.float32, ["tokens", width])
