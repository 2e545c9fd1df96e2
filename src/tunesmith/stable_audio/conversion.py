"""Conversion of a checkpoint to the folder that the networks open, one tensor at a time.

architecture.json           sizes and rules
tokenizer.json              the tokens of a prompt
transformer.onnx …          the graphs, each with its weights in *.onnx.data
weights.safetensors         in place of the graphs, for a GPU
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import UnknownName
from tunesmith.neural.checkpoint.counted_weights import CountedWeights
from tunesmith.neural.gpu_weights import write_gpu_weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import (
    BLOCKWISE,
    BLOCKWISE_32,
    FOR_GPU,
    ROWS,
    ROWS_CORRECTED,
    LayerForms,
    LinearForm,
)
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.checkpoint.canonical_shapes import AUTOENCODER
from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint
from tunesmith.stable_audio.graph.conditioning import build_conditioning, build_local_condition
from tunesmith.stable_audio.graph.oobleck import build_oobleck_encoder, build_oobleck_head, build_oobleck_tail
from tunesmith.stable_audio.graph.open_conditioning import build_open_conditioning, build_open_text_encoder
from tunesmith.stable_audio.graph.open_transformer import build_open_transformer
from tunesmith.stable_audio.graph.same import build_same_decoder, build_same_encoder
from tunesmith.stable_audio.graph.text_encoder import build_text_encoder
from tunesmith.stable_audio.graph.transformer import build_transformer
from tunesmith.stable_audio.model_folder import (
    AUTOENCODER_DECODER,
    AUTOENCODER_DECODER_TAIL,
    AUTOENCODER_ENCODER,
    CONDITIONING,
    GPU_WEIGHTS,
    LOCAL_CONDITION,
    TEXT_ENCODER,
    TOKENIZER,
    TRANSFORMER,
    write_architecture,
)

Weights = Mapping[str, NDArray[np.float32]]
Build = Callable[[GraphBuilder, StableAudioArchitecture, Weights], None]

GRAPHS: Mapping[str, Build] = {
    TRANSFORMER: build_transformer,
    CONDITIONING: build_conditioning,
    LOCAL_CONDITION: build_local_condition,
    TEXT_ENCODER: build_text_encoder,
    AUTOENCODER_DECODER: build_same_decoder,
    AUTOENCODER_ENCODER: build_same_encoder,
}
"""The graphs of Stable Audio 3."""

OPEN_GRAPHS: Mapping[str, Build] = {
    TRANSFORMER: build_open_transformer,
    CONDITIONING: build_open_conditioning,
    TEXT_ENCODER: build_open_text_encoder,
    AUTOENCODER_DECODER: build_oobleck_head,
    AUTOENCODER_DECODER_TAIL: build_oobleck_tail,
    AUTOENCODER_ENCODER: build_oobleck_encoder,
}
"""The graphs of Stable Audio Open."""

QUANTIZATIONS: Mapping[str, LayerForms] = {
    "int8": LayerForms.all(ROWS_CORRECTED),
    "int8-rows": LayerForms.all(ROWS),
    "int8-mixed": LayerForms(default=ROWS, narrowing=BLOCKWISE),
    "int8-32": LayerForms.all(BLOCKWISE_32),
    "none": LayerForms(),
    FOR_GPU: LayerForms(),
}
"""The forms of the layers of a model by its ``--quantize`` name.

The first is the default, where the self-check changes the forms of single layers afterwards. The last keeps weights for
a GPU in place of graphs.
"""

ONCE_A_PIECE = (CONDITIONING, LOCAL_CONDITION, TEXT_ENCODER)
"""The graphs that run once a piece, whose time does not matter: quantized, they take the most exact form."""
AUTOENCODERS = (AUTOENCODER_DECODER, AUTOENCODER_DECODER_TAIL, AUTOENCODER_ENCODER)
"""The graphs that see a window at a time: windows are as good as one pass only without a mean over positions."""


def convert(
    checkpoint: StableAudioCheckpoint, folder: Path, quantization: str, progress: Callable[[float], None],
    by_layer: Mapping[str, LinearForm] | None = None,
) -> None:  # fmt: skip
    """Convert the checkpoint and write the model folder.

    ``quantization`` is one of QUANTIZATIONS. ``by_layer`` gives single layers another form, by the name of their weight
    without ``.weight``. ``progress`` receives the fraction of the weights read so far, 0 to 1. Raises UnknownName for
    an unknown quantization, and ModelFileError for a broken checkpoint.
    """
    if quantization not in QUANTIZATIONS:
        raise UnknownName("quantize", quantization, tuple(QUANTIZATIONS))
    architecture, weights = checkpoint.architecture, CountedWeights(checkpoint.weights, progress)
    folder.mkdir(parents=True, exist_ok=True)
    if quantization == FOR_GPU:
        # The autoencoder computes in float32 on every device.
        write_gpu_weights(folder / GPU_WEIGHTS, weights, list(weights), lambda name: name.startswith(AUTOENCODER))
    else:
        for name, build in graphs_of(architecture).items():
            with GraphBuilder(folder / name, _forms(name, quantization, by_layer or {})) as builder:
                build(builder, architecture, weights)
    checkpoint.tokenizer.write(folder / TOKENIZER)
    # The architecture file comes last: a folder without it is an unfinished conversion.
    write_architecture(folder, architecture)
    progress(1.0)


def graphs_of(architecture: StableAudioArchitecture) -> Mapping[str, Build]:
    """Return the graphs of a model by the names of their files."""
    return GRAPHS if architecture.is_stable_audio_3 else OPEN_GRAPHS


def _forms(graph: str, quantization: str, by_layer: Mapping[str, LinearForm]) -> LayerForms:
    chosen = QUANTIZATIONS[quantization]
    if graph in ONCE_A_PIECE and chosen.default is not None:
        chosen = LayerForms.all(BLOCKWISE_32)
    elif graph in AUTOENCODERS and chosen.default == ROWS_CORRECTED:
        chosen = LayerForms.all(ROWS)
    return replace(chosen, by_layer=by_layer)
