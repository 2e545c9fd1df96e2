"""Oobleck, the convolutional autoencoder of Stable Audio Open, as three graphs of one piece of audio.

    decoder_head  latents (latents, channels) -> hidden (1, width, 1, positions)            few positions, many channels
    decoder_tail  hidden -> samples (2, latents x hop)                                     many positions, few channels
    encoder       samples (2, latents x hop) -> latents and scale (latents, channels)

The decoder is cut in two because its reach is in the head: 10 latents of context on each side make a stretch exact
there, while the tail needs a fraction of one. So the head decodes a long stretch at once, and the tail short ones,
whose layers stay in the processor's cache.

The layers are convolutions in two dimensions, the first of size 1: ONNX Runtime computes these in blocks of channels,
which takes 15 % less time, and half the time where many channels are widened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import cut, integers, reshape, split
from tunesmith.stable_audio.architecture import OobleckShape, StableAudioArchitecture
from tunesmith.stable_audio.oobleck_stages import DILATIONS, OobleckStages

Weights = Mapping[str, NDArray[np.float32]]

DECODER, ENCODER = "autoencoder.decoder.layers.", "autoencoder.encoder.layers."
CHANNELS = 2
# Added to the divisor of snake, as in training.
EPSILON = 1e-9


def build_oobleck_head(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build latents (latents, channels) -> hidden (1, width, 1, positions), 64 a latent at the published strides."""
    layers, stages = _Layers(builder, weights), OobleckStages.of(_shape(architecture))
    latents = builder.input("latents", np.float32, ["latents", architecture.diffusion.latent_channels])
    x = layers.convolve(f"{DECODER}0", layers.channels_first(latents))
    for block, stride in enumerate(stages.head_strides, start=1):
        x = layers.decoder_block(f"{DECODER}{block}.layers.", x, stride)
    builder.nodes("Identity", [x], ["hidden"])
    builder.output("hidden", np.float32, [1, stages.width, 1, "positions"])


def build_oobleck_tail(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build hidden (1, width, 1, positions) -> samples (2, positions x the strides of the tail)."""
    layers, stages = _Layers(builder, weights), OobleckStages.of(_shape(architecture))
    x = builder.input("hidden", np.float32, [1, stages.width, 1, "positions"])
    for block, stride in enumerate(stages.tail_strides, start=len(stages.head_strides) + 1):
        x = layers.decoder_block(f"{DECODER}{block}.layers.", x, stride)
    last = len(stages.head_strides) + len(stages.tail_strides) + 1
    # The published decoder ends like this: no bias, and no tanh.
    x = layers.convolve_same(layers.snake(f"{DECODER}{last}", x), weights[f"{DECODER}{last + 1}.weight"])
    builder.nodes("Reshape", [x, integers(builder, CHANNELS, -1)], ["samples"])
    builder.output("samples", np.float32, [CHANNELS, "samples"])


def build_oobleck_encoder(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build samples (2, latents x hop) -> latents and scale (latents, channels).

    ``latents`` are the means. The deviation around them is softplus(scale) + 1e-4.
    """
    layers, shape = _Layers(builder, weights), _shape(architecture)
    samples = builder.input("samples", np.float32, [CHANNELS, "samples"])
    x = layers.convolve(f"{ENCODER}0", reshape(builder, samples, 1, CHANNELS, 1, -1))
    for block, stride in enumerate(shape.strides, start=1):
        x = layers.encoder_block(f"{ENCODER}{block}.layers.", x, stride)
    last = len(shape.strides) + 1
    x = layers.convolve(f"{ENCODER}{last + 1}", layers.snake(f"{ENCODER}{last}", x))
    for name, part in zip(("latents", "scale"), split(builder, x, 2, axis=1), strict=True):
        builder.nodes("Identity", [layers.channels_last(part)], [name])
        builder.output(name, np.float32, ["latents", shape.latent_channels])


def _shape(architecture: StableAudioArchitecture) -> OobleckShape:
    assert isinstance(architecture.autoencoder, OobleckShape)
    return architecture.autoencoder


def column(by_channel: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return factors by channel in the shape that multiplies (1, channels, 1, positions)."""
    return by_channel.astype(np.float32).reshape(1, -1, 1, 1)


@dataclass(frozen=True, slots=True)
class _Layers:
    """The layers of Oobleck, each added to the graph; values are (1, channels, 1, positions)."""

    builder: GraphBuilder
    weights: Weights

    def decoder_block(self, prefix: str, x: str, stride: int) -> str:
        """Multiply the length by the stride, then add three residual units."""
        x = self.widen(f"{prefix}1", self.snake(f"{prefix}0", x), stride)
        for number, dilation in enumerate(DILATIONS, start=2):
            x = self.unit(f"{prefix}{number}.layers.", x, dilation)
        return x

    def encoder_block(self, prefix: str, x: str, stride: int) -> str:
        """Add three residual units, then divide the length by the stride."""
        for number, dilation in enumerate(DILATIONS):
            x = self.unit(f"{prefix}{number}.layers.", x, dilation)
        padding = -(-stride // 2)
        return self.add_convolution(
            self.snake(f"{prefix}3", x), self.weights[f"{prefix}4.weight"], self.weights[f"{prefix}4.bias"],
            pads=[0, padding, 0, padding], strides=[1, stride],
        )  # fmt: skip

    def unit(self, prefix: str, x: str, dilation: int) -> str:
        """Add a residual unit: a dilated convolution and one of kernel 1, each after a snake.

        The second snake, 2a(x + sin(ax)² / b) = 2ax + (1 - cos(2ax)) a/b, is only a cosine here: both convolutions take
        over its scales, and the last one's bias its constant.
        """
        builder = self.builder
        frequency, slope = self.snake_factors(f"{prefix}2")
        scale, height = 2 * frequency, frequency / slope
        first, first_bias = self.weights[f"{prefix}1.weight"], self.weights[f"{prefix}1.bias"]
        last = self.weights[f"{prefix}3.weight"] / scale[:, None]
        last_bias = self.weights[f"{prefix}3.bias"] + last[..., 0] @ height
        y = self.convolve_same(self.snake(f"{prefix}0", x), first * scale[:, None, None], first_bias * scale, dilation)
        wave = builder.node("Mul", builder.node("Cos", y), builder.constant(column(height)))
        return builder.node("Add", x, self.convolve_same(builder.node("Sub", y, wave), last, last_bias))

    def convolve(self, name: str, x: str) -> str:
        """Add a convolution that keeps the length."""
        return self.convolve_same(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def convolve_same(
        self, x: str, weight: NDArray[np.floating], bias: NDArray[np.floating] | None = None, dilation: int = 1
    ) -> str:
        """Add a convolution that keeps the length; zeros surround the input."""
        padding = weight.shape[2] // 2 * dilation
        return self.add_convolution(x, weight, bias, pads=[0, padding, 0, padding], dilations=[1, dilation])

    def add_convolution(
        self, x: str, weight: NDArray[np.floating], bias: NDArray[np.floating] | None, **attributes: Any
    ) -> str:
        """Add a convolution by a weight (outputs, inputs, kernel)."""
        tensors = [weight[:, :, None]] if bias is None else [weight[:, :, None], bias]
        constants = [self.builder.constant(tensor.astype(np.float32)) for tensor in tensors]
        return self.builder.node("Conv", x, *constants, kernel_shape=[1, weight.shape[2]], **attributes)

    def snake(self, name: str, x: str) -> str:
        """Add snake: x + sin(a x)² / b."""
        builder = self.builder
        frequency, slope = self.snake_factors(name)
        sine = builder.node("Sin", builder.node("Mul", x, builder.constant(column(frequency))))
        squared = builder.node("Mul", sine, sine)
        return builder.node("Add", x, builder.node("Mul", squared, builder.constant(column(1 / slope))))

    def snake_factors(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a and b by channel (channels,), which are stored as logarithms."""
        alpha, beta = (np.exp(self.weights[f"{name}.{part}"].astype(np.float64)) for part in ("alpha", "beta"))
        return alpha, beta + EPSILON

    def widen(self, name: str, x: str, stride: int) -> str:
        """Add a transposed convolution that multiplies the length by the stride; its kernel is twice the stride.

        Each input and the one before it determine ``stride`` outputs: a convolution of kernel 2 to ``stride`` times the
        channels, rearranged in time, is the same sum.
        """
        builder, weight = self.builder, self.weights[f"{name}.weight"]
        inputs, outputs = weight.shape[:2]
        # Reverse the taps: a transposed convolution applies its kernel mirrored.
        phases = weight.reshape(inputs, outputs, 2, stride)[:, :, ::-1].transpose(1, 3, 0, 2)
        bias = np.repeat(self.weights[f"{name}.bias"], stride)
        wide = self.add_convolution(x, phases.reshape(outputs * stride, inputs, 2), bias, pads=[0, 1, 0, 1])
        turned = builder.node("Transpose", reshape(builder, wide, outputs, stride, -1), perm=[0, 2, 1])
        whole = reshape(builder, turned, 1, outputs, 1, -1)
        # The padding of the transposed convolution: half a stride goes at each end.
        return cut(builder, whole, stride // 2, -(stride // 2), 3)

    def channels_first(self, x: str) -> str:
        """Turn (positions, channels) to (1, channels, 1, positions)."""
        channels_first = self.builder.node("Transpose", x, perm=[1, 0])
        return self.builder.node("Unsqueeze", channels_first, integers(self.builder, 0, 2))

    def channels_last(self, x: str) -> str:
        """Turn (1, channels, 1, positions) to (positions, channels)."""
        squeezed = self.builder.node("Squeeze", x, integers(self.builder, 0, 2))
        return self.builder.node("Transpose", squeezed, perm=[1, 0])
