"""SAME-S, the autoencoder of Stable Audio 3, as two graphs.

    decoder   latents (latents, channels) -> samples (2, latents x hop)        an odd number is made even
    encoder   samples (2, latents x hop) -> latents (latents, channels)

A latent and its 16 patches of samples are a group of 17 tokens: the latent before its patches in the decoder, after
them in the encoder. The layers attend inside pairs of groups; those of the second half see pairs shifted by one group,
with the first and the last group doubled:

    first half     (0 1) (2 3) (4 5)           an even number of groups
    second half    (0 0) (1 2) (3 4) (5 5)

So a window that starts at an even latent, has an even length, and two latents more at each end than are kept, is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.feed_forward import add_gated_feed_forward
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import (
    END,
    RotaryPositions,
    attention,
    cut,
    expand,
    integers,
    reshape,
    scalar,
)
from tunesmith.stable_audio.architecture import SameShape, StableAudioArchitecture
from tunesmith.stable_audio.graph.transformer_graph import gated_weights

PREFIX = "autoencoder."
DECODER, ENCODER = f"{PREFIX}decoder.layers.", f"{PREFIX}encoder.layers."
PAIR = 2
"""Groups that attend to each other."""
CHANNELS = 2

Weights = Mapping[str, NDArray[np.float32]]


def build_same_decoder(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build the decoder; an odd number of latents gives the samples of one more, which are to be dropped."""
    shape = _shape(architecture)
    latents = builder.input("latents", np.float32, ["latents", shape.latent_channels])
    deviation = weights[f"{PREFIX}bottleneck.running_std"][0]
    # The reference multiplies the latents by the deviation first; here the weight takes it over.
    widened = builder.exact_linear(latents, weights[f"{DECODER}1.weight"] * deviation, weights[f"{DECODER}1.bias"])
    # After the projection, as in the reference: before it, the bias would fill the padding.
    widened = _pad_to_even(builder, widened)
    count = builder.node("Shape", widened, start=0, end=1)
    token = builder.constant(weights[f"{DECODER}3.new_tokens"])
    new = expand(builder, token, count, integers(builder, shape.patches, 1))
    groups = builder.node("Concat", reshape(builder, widened, -1, 1, shape.hidden_size), new, axis=1)
    groups = _SameLayers.make(builder, shape, weights, f"{DECODER}3.transformers.").apply(groups)
    patches = reshape(builder, cut(builder, groups, 1, END, 1), -1, shape.hidden_size)
    mapped = _convolve(builder, patches, weights[f"{DECODER}3.mapping.weight"], weights[f"{DECODER}3.mapping.bias"])
    apart = reshape(builder, mapped, -1, CHANNELS, shape.patch_size)
    by_channel = builder.node("Transpose", apart, perm=[1, 0, 2])
    builder.nodes("Reshape", [by_channel, integers(builder, CHANNELS, -1)], ["samples"])
    builder.output("samples", np.float32, [CHANNELS, "samples"])


def build_same_encoder(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build the encoder; the samples must be those of an even number of latents."""
    shape = _shape(architecture)
    samples = builder.input("samples", np.float32, [CHANNELS, "samples"])
    patches = builder.node("Transpose", reshape(builder, samples, CHANNELS, -1, shape.patch_size), perm=[1, 0, 2])
    patches = reshape(builder, patches, -1, shape.patches, CHANNELS * shape.patch_size)
    mapping = weights[f"{ENCODER}0.mapping.weight"].reshape(shape.hidden_size, -1)
    mapped = builder.exact_linear(patches, mapping, weights[f"{ENCODER}0.mapping.bias"])
    count = builder.node("Shape", mapped, start=0, end=1)
    token = builder.constant(weights[f"{ENCODER}0.new_tokens"])
    new = expand(builder, token, count, integers(builder, 1, 1))
    groups = builder.node("Concat", mapped, new, axis=1)
    groups = _SameLayers.make(builder, shape, weights, f"{ENCODER}0.transformers.").apply(groups)
    last = reshape(builder, cut(builder, groups, shape.patches, END, 1), -1, shape.hidden_size)
    builder.nodes("Identity", [builder.exact_linear(last, *_bottleneck(weights))], ["latents"])
    builder.output("latents", np.float32, ["latents", shape.latent_channels])


def _pad_to_even(builder: GraphBuilder, x: str) -> str:
    """Fill (latents, hidden) up with a row of zeros where the number of latents is odd."""
    odd = builder.node("Mod", builder.node("Shape", x, start=0, end=1), integers(builder, PAIR))
    return builder.node("Pad", x, builder.node("Concat", integers(builder, 0, 0), odd, integers(builder, 0), axis=0))


def _bottleneck(weights: Weights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold the bottleneck's scale and shift into the last projection of the encoder; return its weight and bias."""
    scale, shift, deviation = (
        weights[f"{PREFIX}bottleneck.{name}"].reshape(-1) for name in ("scaling_factor", "bias", "running_std")
    )
    weight, bias = weights[f"{ENCODER}2.weight"], weights[f"{ENCODER}2.bias"]
    return weight * (scale / deviation)[:, None], (bias * scale + shift) / deviation


def _convolve(builder: GraphBuilder, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
    """Add a convolution (outputs, inputs, 3) over (positions, inputs), padded with zeros, as one product."""
    padded = builder.node("Pad", x, integers(builder, 1, 0, 1, 0))
    # A position with the one before it and the one after it.
    joined = builder.node("Concat", cut(builder, padded, 0, -2, 0), x, cut(builder, padded, 2, END, 0), axis=1)
    return builder.exact_linear(joined, np.concatenate(np.moveaxis(kernel, -1, 0), axis=1), bias)


def _shape(architecture: StableAudioArchitecture) -> SameShape:
    shape = architecture.autoencoder
    assert isinstance(shape, SameShape)
    return shape


@dataclass(frozen=True, slots=True)
class _SameLayers:
    """The layers of one side; between attentions all tokens are one axis, (tokens, hidden)."""

    builder: GraphBuilder
    shape: SameShape
    weights: Weights
    prefix: str
    rotary: RotaryPositions

    @classmethod
    def make(cls, builder: GraphBuilder, shape: SameShape, weights: Weights, prefix: str) -> _SameLayers:
        """Add the tables of positions, which count from the start of a pair."""
        num_heads = shape.hidden_size // shape.head_size
        rotary = RotaryPositions.up_to(builder, PAIR * (shape.patches + 1), num_heads, shape.head_size // 2)
        return cls(builder, shape, weights, prefix, rotary)

    def apply(self, groups: str) -> str:
        """Add all layers: (groups, 17, hidden) -> (groups, 17, hidden)."""
        builder, half = self.builder, self.shape.num_layers // 2
        x = self._flat(groups)
        for layer in range(half):
            x = self._layer(f"{self.prefix}{layer}.", x)
        groups = self._groups(x)
        first, last = cut(builder, groups, 0, 1, 0), cut(builder, groups, -1, END, 0)
        x = self._flat(builder.node("Concat", first, groups, last, axis=0))
        for layer in range(half, self.shape.num_layers):
            x = self._layer(f"{self.prefix}{layer}.", x)
        return cut(builder, self._groups(x), 1, -1, 0)

    def _layer(self, prefix: str, x: str) -> str:
        x = self.builder.node("Add", x, self._attention(f"{prefix}self_attn.", self._norm(f"{prefix}pre_norm", x)))
        return self.builder.node("Add", x, self._feed_forward(prefix, x))

    def _attention(self, prefix: str, normed: str) -> str:
        """Add differential attention (Ye and others, 2024): the difference of two attentions to the same values."""
        weights = np.split(self.weights[f"{prefix}to_qkv.weight"], 5)
        parts = [self.builder.linear(normed, weight, layer=f"{prefix}to_qkv") for weight in weights]
        values = self._pairs(parts[2])
        attended = [
            attention(
                self.builder, self._turned(f"{prefix}q_norm", queries), self._turned(f"{prefix}k_norm", keys), values,
                self.rotary.num_heads,
            )
            for queries, keys in (parts[:2], parts[3:])
        ]  # fmt: skip
        difference = self._flat(self.builder.node("Sub", *attended))
        return self.builder.linear(difference, self.weights[f"{prefix}to_out.weight"], layer=f"{prefix}to_out")

    def _turned(self, norm: str, x: str) -> str:
        """Norm the heads of queries or keys and turn them by their positions."""
        return self.rotary.turn(self.builder, self._pairs(self._norm(norm, x, repeats=self.rotary.num_heads)))

    def _norm(self, name: str, x: str, repeats: int = 1) -> str:
        """Add a dynamic tanh (Zhu and others, 2025) in place of a norm; heads repeat its gain and shift."""
        alpha, gain, shift = (self.weights[f"{name}.{part}"] for part in ("alpha", "gamma", "beta"))
        bounded = self.builder.node("Tanh", self.builder.node("Mul", x, scalar(self.builder, alpha[0])))
        scaled = self.builder.node("Mul", bounded, self.builder.constant(np.tile(gain, repeats)))
        return self.builder.node("Add", scaled, self.builder.constant(np.tile(shift, repeats)))

    def _feed_forward(self, prefix: str, x: str) -> str:
        stem = f"{prefix}ff.ff."
        normed = self._norm(f"{prefix}ff_norm", x)
        update = add_gated_feed_forward(self.builder, normed, gated_weights(self.weights, stem))
        return self.builder.node("Add", update, self.builder.constant(self.weights[f"{stem}2.bias"]))

    def _flat(self, x: str) -> str:
        return reshape(self.builder, x, -1, self.shape.hidden_size)

    def _groups(self, x: str) -> str:
        return reshape(self.builder, x, -1, self.shape.patches + 1, self.shape.hidden_size)

    def _pairs(self, x: str) -> str:
        return reshape(self.builder, x, -1, PAIR * (self.shape.patches + 1), self.shape.hidden_size)
