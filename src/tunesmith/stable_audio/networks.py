"""The networks of a model as functions of arrays, over graphs; StableAudioNetworks runs them on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_metadata import BLOCKWISE_PRODUCTS
from tunesmith.neural.sessions import ALL_CORES, LazySession, SessionOptions, usable_cores
from tunesmith.neural.t5 import T5Shape
from tunesmith.stable_audio.architecture import NumberCondition, OobleckShape, StableAudioArchitecture
from tunesmith.stable_audio.conditions import (
    KEY_BIAS,
    Conditioning,
    LocalCondition,
    key_bias,
    stack,
    without_context,
)
from tunesmith.stable_audio.fourier_features import fourier_features
from tunesmith.stable_audio.lengths import most_positions
from tunesmith.stable_audio.model_folder import (
    AUTOENCODER_DECODER,
    AUTOENCODER_ENCODER,
    CONDITIONING,
    LOCAL_CONDITION,
    TEXT_ENCODER,
    TOKENIZER,
    TRANSFORMER,
    read_architecture,
)
from tunesmith.stable_audio.oobleck_decoder import OobleckDecoder

Array = NDArray[np.float32]


class Graph(Protocol):
    """A graph, wherever it runs."""

    def run(self, inputs: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """Run the graph and return its first output."""
        ...

    def run_all(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the graph and return its outputs by name."""
        ...


@dataclass(frozen=True, slots=True)
class NetworkGraphs:
    """The graphs of a model; ``decode`` turns latents (latents, channels) into samples (2, latents x hop)."""

    text_encoder: Graph
    local_condition: Graph
    conditioning: Graph
    transformer: Graph
    encoder: Graph
    decode: Callable[[Array], Array]


class GraphNetworks:
    """The networks of a model as functions of arrays; all arrays are float32, latents are (latents, channels)."""

    def __init__(self, architecture: StableAudioArchitecture, tokenizer: Path, graphs: NetworkGraphs) -> None:
        self.architecture = architecture
        self.tokenizer = tokenizer
        self._graphs = graphs
        self._nothing_kept: LocalCondition | None = None
        self._last_rows: _Rows | None = None

    def encode_text(self, token_ids: Sequence[int]) -> Array:
        """Encode the tokens of a prompt: (tokens, width). No tokens give no states."""
        # The encoder is not run: attention with every token masked is undefined.
        if not token_ids:
            return np.zeros((0, self.architecture.diffusion.condition_width), np.float32)
        ids = np.array(token_ids, np.int64)
        is_t5 = isinstance(self.architecture.text_encoder, T5Shape)
        return self._graphs.text_encoder.run({"token_ids": ids[None] if is_t5 else ids})

    def condition(
        self, states: Array, numbers: float | Mapping[str, float], *, empty: bool = False, zero_padding: bool = False
    ) -> Conditioning:
        """Condition one row on a text and on numbers, once a piece.

        ``states`` are (tokens, width). ``numbers`` are those of the architecture by name, or the last one, the seconds
        in total, with the others at their lowest; they are clamped to their range. ``empty`` is the unconditional
        branch of guidance: zeros in place of text and numbers, the global condition unchanged. ``zero_padding`` pads
        with zeros in place of the learned vector, as a negative prompt is; Stable Audio Open always does.
        """
        architecture, tokens = self.architecture, len(states)
        scaled = self._scaled(numbers)
        if architecture.is_stable_audio_3:
            gain = np.array([0 if zero_padding else 1], np.float32)
            by_model = {"features": fourier_features(scaled), "padding_gain": gain}
        else:
            by_model = {"numbers": scaled}
        found = self._graphs.conditioning.run_all({"states": states, **by_model})
        bias = key_bias(tokens, architecture.max_tokens - tokens, len(architecture.numbers))
        conditioning = Conditioning({**found, KEY_BIAS: bias})
        return without_context(conditioning) if empty else conditioning

    def local_condition(self, mask: Array, masked_latents: Array) -> LocalCondition:
        """Condition on kept latents: ``mask`` (latents,) is 1 where ``masked_latents`` (latents, channels) are kept.

        The latents to be made are 0 in ``masked_latents``.
        """
        kept = np.concatenate([mask[:, None], masked_latents], axis=1).astype(np.float32)
        return LocalCondition(self._graphs.local_condition.run_all({"kept": kept}))

    def velocity(
        self, latents: Array, sigma: float, conditioning: Conditioning, local: LocalCondition | None = None
    ) -> Array:
        """Return the velocity at the noise level ``sigma``, 0 to 1, in the shape of the latents.

        ``latents`` are (latents, channels), or (rows, latents, channels) for the rows of the conditioning. Without a
        local condition, nothing is kept; Stable Audio Open has none.
        """
        inputs = self.transformer_inputs(latents, sigma, conditioning, local)
        return self._graphs.transformer.run(inputs).reshape(latents.shape)

    def velocities(
        self, latents: Array, sigma: float, conditionings: Sequence[Conditioning],
        locals_: Sequence[LocalCondition | None],
    ) -> Array:  # fmt: skip
        """Return the velocities of (rows, latents, channels); see DiffusionNetworks."""
        if len(latents) == 1:
            return self.velocity(latents, sigma, conditionings[0], locals_[0])
        rows = self._last_rows
        # From step to step, the rows are the same.
        if rows is None or not rows.are(conditionings, locals_):
            local = self._stacked(locals_, latents.shape[1])
            self._last_rows = rows = _Rows(tuple(conditionings), tuple(locals_), stack(conditionings), local)
        return self.velocity(latents, sigma, rows.conditioning, rows.local)

    def transformer_inputs(
        self, latents: Array, sigma: float, conditioning: Conditioning, local: LocalCondition | None = None
    ) -> dict[str, Array]:
        """Return the inputs of the transformer's graph for a step; see ``velocity``."""
        rows = latents if latents.ndim == 3 else latents[None]
        level = np.array([sigma], np.float32)
        if self.architecture.is_stable_audio_3:
            kept = local or self._keep_nothing(rows.shape[1])
            by_model = {"time": fourier_features(level), **kept.inputs}
        else:
            by_model = {"noise_level": level}
        return {"latents": np.ascontiguousarray(rows, np.float32), **conditioning.inputs, **by_model}

    def decode(self, latents: Array) -> Array:
        """Decode (latents, channels) to samples (2, latents x hop).

        Where SAME-S gets an odd number of latents, the last is decoded beside one of zeros, as the reference does.
        """
        samples = self._graphs.decode(np.ascontiguousarray(latents, np.float32))
        return samples[:, : len(latents) * self.architecture.hop_size]

    def encode(self, samples: Array) -> Array:
        """Encode samples (2, latents x hop) to (latents, channels); the number of latents is even for SAME-S."""
        return self._graphs.encoder.run({"samples": np.ascontiguousarray(samples, np.float32)})

    def _stacked(self, locals_: Sequence[LocalCondition | None], num_latents: int) -> LocalCondition | None:
        if all(one is None for one in locals_):
            return None
        rows = [(one or self._keep_nothing(num_latents)).inputs for one in locals_]
        return LocalCondition({name: np.concatenate([one[name] for one in rows]) for name in rows[0]})

    def _keep_nothing(self, num_latents: int) -> LocalCondition:
        """Return the local condition of text to audio: the same row for every latent, not nothing."""
        memory = self.architecture.diffusion.num_memory_tokens
        last = self._nothing_kept
        if last is None or next(iter(last.inputs.values())).shape[1] != memory + num_latents:
            channels = self.architecture.diffusion.latent_channels
            # Its layers see one latent at a time, so one is computed and repeated.
            single = self.local_condition(np.zeros(1, np.float32), np.zeros((1, channels), np.float32))
            counts = [1] * memory + [num_latents]
            last = LocalCondition({name: np.repeat(rows, counts, axis=1) for name, rows in single.inputs.items()})
            self._nothing_kept = last
        return last

    def _scaled(self, numbers: float | Mapping[str, float]) -> Array:
        """Return the numbers, clamped and scaled to 0 to 1, in the order of the context."""
        known = self.architecture.numbers
        if not isinstance(numbers, Mapping):
            numbers = {number.name: number.low for number in known} | {known[-1].name: numbers}
        return np.array([_scale(number, numbers[number.name]) for number in known], np.float32)


class StableAudioNetworks(GraphNetworks):
    """The networks of a model folder on ONNX Runtime.

    Each graph is opened at first use. The transformer, the conditioning and the decoder stay in memory; the text
    encoder and the autoencoder's encoder are there only while they run.
    """

    def __init__(self, folder: Path, options: SessionOptions = ALL_CORES) -> None:
        architecture = read_architecture(folder)
        # A step of a long piece takes hundreds of megabytes, which a heap would keep in pieces.
        options = replace(options, arena=True)
        # These graphs run in turn with the transformer: their spinning threads would take its cores.
        resting = replace(options, spinning=False)
        self._transformer = LazySession(folder / TRANSFORMER, options, keep=True)
        graphs = NetworkGraphs(
            text_encoder=LazySession(folder / TEXT_ENCODER, resting, keep=False),
            local_condition=LazySession(folder / LOCAL_CONDITION, resting, keep=False),
            conditioning=LazySession(folder / CONDITIONING, resting, keep=True),
            transformer=self._transformer,
            encoder=LazySession(folder / AUTOENCODER_ENCODER, resting, keep=False),
            decode=_decoder(folder, architecture, resting),
        )
        super().__init__(architecture, folder / TOKENIZER, graphs)
        self._most_positions = most_positions(architecture, options.num_threads or usable_cores())

    def most_rows(self, num_latents: int) -> int:
        """Return how many rows of so many latents may go together; see DiffusionNetworks."""
        positions = self.architecture.diffusion.num_memory_tokens + num_latents
        # Products in blocks take two positions at once: the last of an odd number is rounded in another way.
        if positions % 2 and self._transformer.metadata().get(BLOCKWISE_PRODUCTS) != "no":
            return 1
        return max(1, self._most_positions // positions)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The conditions of the rows of a batch, and what they are joined."""

    conditionings: tuple[Conditioning, ...]
    locals_: tuple[LocalCondition | None, ...]
    conditioning: Conditioning
    local: LocalCondition | None

    def are(self, conditionings: Sequence[Conditioning], locals_: Sequence[LocalCondition | None]) -> bool:
        """Return whether these are the rows."""
        pairs = zip((*self.conditionings, *self.locals_), (*conditionings, *locals_), strict=False)
        return len(conditionings) == len(self.conditionings) and all(one is other for one, other in pairs)


def _decoder(folder: Path, architecture: StableAudioArchitecture, options: SessionOptions) -> Callable[[Array], Array]:
    """Return the decoder of the model's autoencoder: latents (latents, channels) to samples (2, latents x hop)."""
    shape = architecture.autoencoder
    if isinstance(shape, OobleckShape):
        return OobleckDecoder(folder, shape, options).decode
    session = LazySession(folder / AUTOENCODER_DECODER, options, keep=True)
    return lambda latents: session.run({"latents": latents})


def _scale(number: NumberCondition, value: float) -> float:
    return (min(max(value, number.low), number.high) - number.low) / (number.high - number.low)
