"""StableAudioNetworks: the networks of an installed model on ONNX Runtime, as functions of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.sessions import ALL_CORES, LazySession, SessionOptions
from tunesmith.stable_audio.architecture import NumberCondition
from tunesmith.stable_audio.conditions import KEY_BIAS, Conditioning, LocalCondition, key_bias, without_context
from tunesmith.stable_audio.fourier_features import fourier_features
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

Array = NDArray[np.float32]


class StableAudioNetworks:
    """The networks of a model folder; all arrays are float32, latents are (latents, channels).

    Each graph is opened at first use. The transformer, the conditioning and the decoder stay in memory; the text
    encoder
    and the autoencoder's encoder are there only while they run.
    """

    def __init__(self, folder: Path, options: SessionOptions = ALL_CORES) -> None:
        self.architecture = read_architecture(folder)
        self.tokenizer = folder / TOKENIZER
        # A step of a long piece takes hundreds of megabytes, which a heap would keep in pieces.
        options = replace(options, arena=True)
        # These graphs run in turn with the transformer: their spinning threads would take its cores.
        resting = replace(options, spinning=False)
        self._text_encoder = LazySession(folder / TEXT_ENCODER, resting, keep=False)
        self._local_condition = LazySession(folder / LOCAL_CONDITION, resting, keep=False)
        self._conditioning = LazySession(folder / CONDITIONING, resting, keep=True)
        self._transformer = LazySession(folder / TRANSFORMER, options, keep=True)
        self._decoder = LazySession(folder / AUTOENCODER_DECODER, resting, keep=True)
        self._encoder = LazySession(folder / AUTOENCODER_ENCODER, resting, keep=False)
        self._nothing_kept: LocalCondition | None = None

    def encode_text(self, token_ids: Sequence[int]) -> Array:
        """Encode the tokens of a prompt: (tokens, width). No tokens give no states."""
        if not token_ids:
            return np.zeros((0, self.architecture.diffusion.condition_width), np.float32)
        return self._text_encoder.run({"token_ids": np.array(token_ids, np.int64)})

    def condition(
        self, states: Array, numbers: float | Mapping[str, float], *, empty: bool = False, zero_padding: bool = False
    ) -> Conditioning:
        """Condition one row on a text and on numbers, once a piece.

        ``states`` are (tokens, width). ``numbers`` are those of the architecture by name, or the only one, the seconds;
        they are clamped to their range. ``empty`` is the unconditional branch of guidance: zeros in place of text and
        numbers, the global condition unchanged. ``zero_padding`` pads with zeros in place of the learned vector, as a
        negative prompt is.
        """
        architecture, tokens = self.architecture, len(states)
        inputs = {
            "states": states,
            "features": fourier_features(self._scaled(numbers)),
            "padding_gain": np.array([0 if zero_padding else 1], np.float32),
        }
        found = self._conditioning.run_all(inputs)
        bias = key_bias(tokens, architecture.max_tokens - tokens, len(architecture.numbers))
        conditioning = Conditioning({**found, KEY_BIAS: bias})
        return without_context(conditioning) if empty else conditioning

    def local_condition(self, mask: Array, masked_latents: Array) -> LocalCondition:
        """Condition on kept latents: ``mask`` (latents,) is 1 where ``masked_latents`` (latents, channels) are kept.

        The latents to be made are 0 in ``masked_latents``.
        """
        kept = np.concatenate([mask[:, None], masked_latents], axis=1).astype(np.float32)
        return LocalCondition(self._local_condition.run_all({"kept": kept}))

    def velocity(
        self, latents: Array, sigma: float, conditioning: Conditioning, local: LocalCondition | None = None
    ) -> Array:
        """Return the velocity at the noise level ``sigma``, 0 to 1, in the shape of the latents.

        ``latents`` are (latents, channels), or (rows, latents, channels) for the rows of the conditioning. Without a
        local condition, nothing is kept.
        """
        rows = latents if latents.ndim == 3 else latents[None]
        inputs = {
            "latents": np.ascontiguousarray(rows, np.float32),
            "time": fourier_features(np.array([sigma], np.float32)),
            **conditioning.inputs,
            **(local or self._keep_nothing(rows.shape[1])).inputs,
        }
        return self._transformer.run(inputs).reshape(latents.shape)

    def decode(self, latents: Array) -> Array:
        """Decode (latents, channels) to samples (2, latents x hop).

        Where the number of latents is odd, the last is decoded beside one of zeros, as the reference does.
        """
        samples = self._decoder.run({"latents": np.ascontiguousarray(latents, np.float32)})
        return samples[:, : len(latents) * self.architecture.hop_size]

    def encode(self, samples: Array) -> Array:
        """Encode samples (2, latents x hop) to (latents, channels); the number of latents is even."""
        return self._encoder.run({"samples": np.ascontiguousarray(samples, np.float32)})

    def _keep_nothing(self, num_latents: int) -> LocalCondition:
        """Return the local condition of text to audio: the same row for every latent, not nothing."""
        memory = self.architecture.diffusion.num_memory_tokens
        last = self._nothing_kept
        if last is None or next(iter(last.inputs.values())).shape[1] != memory + num_latents:
            channels = self.architecture.diffusion.latent_channels
            single = self.local_condition(np.zeros(1, np.float32), np.zeros((1, channels), np.float32))
            counts = [1] * memory + [num_latents]
            last = LocalCondition({name: np.repeat(rows, counts, axis=1) for name, rows in single.inputs.items()})
            self._nothing_kept = last
        return last

    def _scaled(self, numbers: float | Mapping[str, float]) -> Array:
        """Return the numbers, clamped and scaled to 0 to 1, in the order of the context."""
        known = self.architecture.numbers
        if not isinstance(numbers, Mapping):
            (only,) = known
            numbers = {only.name: numbers}
        return np.array([_scale(number, numbers[number.name]) for number in known], np.float32)


def _scale(number: NumberCondition, value: float) -> float:
    return (min(max(value, number.low), number.high) - number.low) / (number.high - number.low)
