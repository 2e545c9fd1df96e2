"""TorchNetworks: the networks on torch: CUDA, MPS or CPU.

The graphs are those that ONNX Runtime runs, built in memory from the weights. On CUDA, the transformer computes in
bfloat16, and its step is captured once for each number of latents and rows; everything else is float32, the
differential attention of the autoencoder included.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.gpu_weights import read_gpu_weights
from tunesmith.neural.torch.device import torch
from tunesmith.neural.torch.torch_graph import TorchGraph
from tunesmith.stable_audio.architecture import OobleckShape, StableAudioArchitecture
from tunesmith.stable_audio.conversion import Build, graphs_of
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
    read_architecture,
)
from tunesmith.stable_audio.networks import GraphNetworks, NetworkGraphs

Array = NDArray[np.float32]
Weights = Mapping[str, Array]
Device = Literal["cuda", "mps", "cpu"]

CUDA_POSITIONS = 16_384
"""The most positions of a batch on a GPU, whose memory and not its cache is the limit."""


class TorchNetworks(GraphNetworks):
    """The networks of a model over its weights; see GraphNetworks.

    ``dtype`` is the transformer's precision, by default bfloat16 on CUDA and float32 elsewhere. Each graph is put on
    the device at first use and stays there. On CUDA a row of a batch agrees with the row alone to rounding, not to the
    bit; elsewhere rows go one by one.
    """

    def __init__(
        self, architecture: StableAudioArchitecture, weights: Weights, tokenizer: Path, device: Device = "cuda", *,
        dtype: torch.dtype | None = None,
    ) -> None:  # fmt: skip
        default = torch.bfloat16 if device == "cuda" else torch.float32
        self._device = device
        builds = graphs_of(architecture)

        def graph(name: str, kind: torch.dtype = torch.float32) -> _LazyGraph:
            make = partial(TorchGraph, torch.device(device), kind, captures=name == TRANSFORMER)
            return _LazyGraph(make, builds.get(name), architecture, weights)

        decoder, tail = graph(AUTOENCODER_DECODER), graph(AUTOENCODER_DECODER_TAIL)

        def decode(latents: Array) -> Array:
            if not isinstance(architecture.autoencoder, OobleckShape):
                return decoder.run({"latents": latents})
            return tail.run({"hidden": decoder.run({"latents": latents})})

        graphs = NetworkGraphs(
            text_encoder=graph(TEXT_ENCODER), local_condition=graph(LOCAL_CONDITION), conditioning=graph(CONDITIONING),
            transformer=graph(TRANSFORMER, dtype or default), encoder=graph(AUTOENCODER_ENCODER), decode=decode,
        )  # fmt: skip
        super().__init__(architecture, tokenizer, graphs)

    @classmethod
    def open(cls, folder: Path, device: Device) -> TorchNetworks:
        """Open a model folder that was converted for a GPU. Raises ModelFileError."""
        return cls(read_architecture(folder), read_gpu_weights(folder / GPU_WEIGHTS), folder / TOKENIZER, device)

    def most_rows(self, num_latents: int) -> int:
        """Return how many rows of so many latents may go together; see DiffusionNetworks."""
        positions = self.architecture.diffusion.num_memory_tokens + num_latents
        return max(1, CUDA_POSITIONS // positions) if self._device == "cuda" else 1


class _LazyGraph:
    """A graph that is put on the device when it first runs; a model may lack it, and then never runs it."""

    def __init__(
        self, make: partial[TorchGraph], build: Build | None, architecture: StableAudioArchitecture, weights: Weights
    ) -> None:  # fmt: skip
        self._make = make
        self._build = build
        self._architecture = architecture
        self._weights = weights
        self._graph: TorchGraph | None = None
        self._opening = threading.Lock()

    def run(self, inputs: dict[str, NDArray[Any]]) -> NDArray[Any]:
        return self._opened().run(inputs)

    def run_all(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return self._opened().run_all(inputs)

    def _opened(self) -> TorchGraph:
        # Rows of a batch run from threads of their own, and must not put a graph on the device twice.
        with self._opening:
            if self._graph is None:
                assert self._build
                graph = self._make()
                self._build(graph, self._architecture, self._weights)
                self._graph = graph
            return self._graph
