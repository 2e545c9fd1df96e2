"""The mapper: from the embedding of a text to one that a recording of it might have.

A text says less than a recording, so the mapper draws: noise -> tokens -> layers, each modulated by the text's
embedding -> the direction of an embedding. Another seed is another reading of the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SCORE_CAP, EPSILON, ROTARY_BASE = 30.0, 1e-6, 10_000.0
GELU_CUBE, GELU_SCALE = np.float32(0.044715), np.float32(np.sqrt(2 / np.pi))


@dataclass(frozen=True, slots=True)
class Mapper:
    """The mapper with its weights by the names of ``checkpoint.mapper``, which are read as they are used."""

    weights: Mapping[str, Array]

    def map(self, text: Array, seed: int) -> Array:
        """Return an embedding (width,) of length 1 for that of a text (width,); ``seed`` is 0 to 2**32 - 1."""
        # The reference draws with this generator, and users know its interpretations by their seeds.
        noise = np.random.RandomState(seed).randn(len(text)).astype(np.float32)
        mapped = self.apply(text, noise)
        return mapped / np.linalg.norm(mapped)

    def apply(self, text: Array, noise: Array) -> Array:
        """Return the network's output (width,) for an embedding (width,) and noise (width,)."""
        context = self.weights["context"]
        modulation = np.concatenate([context, context, text])
        scale = self.weights["layers.0.norm1.scale"]
        tokens = (noise @ self.weights["input.weight"] + self.weights["input.bias"]).reshape(-1, len(scale))
        for layer in range(self._num_layers):
            tokens = self._layer(f"layers.{layer}.", tokens, modulation)
        return np.asarray(tokens.reshape(-1) @ self.weights["output.weight"] + self.weights["output.bias"], np.float32)

    @property
    def _num_layers(self) -> int:
        return sum(name.endswith(".qkv") for name in self.weights)

    def _layer(self, own: str, tokens: Array, modulation: Array) -> Array:
        tokens = tokens + self._attention(own, self._modulated(own, 1, tokens, modulation))
        hidden = self._modulated(own, 2, tokens, modulation) @ self.weights[f"{own}ffn1.weight"]
        active = _gelu(hidden + self.weights[f"{own}ffn1.bias"])
        return np.asarray(tokens + active @ self.weights[f"{own}ffn2.weight"] + self.weights[f"{own}ffn2.bias"])

    def _modulated(self, own: str, number: int, tokens: Array, modulation: Array) -> Array:
        """Return the tokens' RMS norm, scaled and shifted by what the text says."""
        weight, bias = (self.weights[f"{own}cond{number}.{part}"] for part in ("weight", "bias"))
        gain, shift = (modulation @ weight.reshape(len(modulation), -1)).reshape(bias.shape) + bias
        power = np.square(tokens).mean(axis=-1, keepdims=True)
        normed = tokens / np.sqrt(power + np.float32(EPSILON)) * self.weights[f"{own}norm{number}.scale"]
        return np.asarray(normed * (1 + gain) + shift)

    def _attention(self, own: str, normed: Array) -> Array:
        """Attend to all tokens and to a learned sink; (tokens, width) -> (tokens, width)."""
        qkv = self.weights[f"{own}qkv"]
        num_heads, head_size = qkv.shape[2:]
        projected = (normed @ qkv.reshape(len(qkv), -1)).reshape(len(normed), 3, num_heads, head_size)
        queries, keys, values = projected.transpose(1, 2, 0, 3)
        queries, keys = _turned(queries), _turned(keys)
        sink_key, sink_value = (self.weights[f"{own}sink_{name}"].transpose(1, 0, 2) for name in ("key", "value"))
        # The query that meets the sink is not scaled.
        scores = np.concatenate([
            queries @ sink_key.swapaxes(1, 2), queries @ keys.swapaxes(1, 2) * np.float32(head_size**-0.5),
        ], axis=-1)  # fmt: skip
        scores = np.float32(SCORE_CAP) * np.tanh(scores / np.float32(SCORE_CAP))
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        attended = (shares @ np.concatenate([sink_value, values], axis=1)).transpose(1, 0, 2)
        post = self.weights[f"{own}post"]
        return np.asarray(attended.reshape(len(normed), -1) @ post.reshape(len(post), -1).T)


def _turned(heads: Array) -> Array:
    """Turn (heads, tokens, size) by the rotary positions; the first half of a head is paired with the second."""
    half = heads.shape[2] // 2
    speeds = ROTARY_BASE ** (-np.arange(half) / half)
    angles = np.arange(heads.shape[1])[:, None] * speeds
    cosines, sines = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    first, second = heads[..., :half], heads[..., half:]
    return np.concatenate([first * cosines - second * sines, second * cosines + first * sines], axis=-1)


def _gelu(x: Array) -> Array:
    """Return the tanh form of GELU."""
    return np.asarray(np.float32(0.5) * x * (1 + np.tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x))))
