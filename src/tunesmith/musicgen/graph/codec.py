"""EnCodec as three graphs, split so that audio can be decoded chunk by chunk and still exactly.

    codec_frames   codes -> first convolution -> LSTM -> hidden frames     frame after frame, with a state
    codec_samples  hidden frames -> up-sampling convolutions -> samples     each sample depends on a few frames around
    it
    codec_encoder  samples -> down-sampling convolutions -> LSTM -> codes   for a whole recording

All graphs process one channel. A chunk is decoded with a few frames of context on both sides, whose own output is
dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture, CodecShape
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.neural.graph_builder import GraphBuilder

PREFIX = "audio_encoder."
# The stop of a slice to the end.
END = 2**62


def build_codec_frames(builder: GraphBuilder, architecture: Architecture, weights: Weights) -> None:
    """Build codes (codebooks, frames) -> hidden (1, channels, stop - start), the frames from start to stop.

    The inputs ``state`` and ``cell`` (LSTM layers, 1, channels) belong to ``start``; the outputs ``new_state`` and
    ``new_cell`` belong to ``stop``.
    """
    shape = architecture.codec
    codes = builder.input("codes", np.int64, [shape.num_codebooks, "frames"])
    start, stop = builder.input("start", np.int64, [1]), builder.input("stop", np.int64, [1])
    parts = _CodecGraphBuilder(builder, shape, weights, f"{PREFIX}decoder.layers.")
    latent = _embed(builder, codes, _codebooks(shape, weights))
    wide = parts.convolve("0.conv", latent, shape.kernel_size, shortest=1)
    # The LSTM must see each frame once, so the context of the convolution is cut off before it.
    piece = builder.node("Slice", wide, start, stop, builder.constant(np.array([2], np.int64)))
    builder.nodes("Identity", [parts.lstm("1.lstm", piece, with_state=True)], ["hidden"])
    builder.output("hidden", np.float32, [1, parts.widest, "kept"])


def build_codec_samples(builder: GraphBuilder, architecture: Architecture, weights: Weights) -> None:
    """Build hidden (1, channels, frames) -> samples (1, 1, frames x hop)."""
    shape = architecture.codec
    parts = _CodecGraphBuilder(builder, shape, weights, f"{PREFIX}decoder.layers.")
    x = builder.input("hidden", np.float32, [1, parts.widest, "frames"])
    index, length = 2, 1
    for ratio in shape.ratios:
        length *= ratio
        x = parts.widen(f"{index + 1}.conv", builder.node("Elu", x), ratio)
        x = parts.residuals(index + 2, x, length)
        index += 2 + shape.num_residual_layers
    x = parts.convolve(f"{index + 1}.conv", builder.node("Elu", x), shape.last_kernel_size, shortest=length)
    builder.nodes("Identity", [x], ["samples"])
    builder.output("samples", np.float32, [1, 1, "samples"])


def build_codec_encoder(builder: GraphBuilder, architecture: Architecture, weights: Weights) -> None:
    """Build samples (1, 1, frames x hop) -> codes (codebooks, frames)."""
    shape = architecture.codec
    parts = _CodecGraphBuilder(builder, shape, weights, f"{PREFIX}encoder.layers.")
    x = builder.input("samples", np.float32, [1, 1, "samples"])
    length = shape.hop
    x = parts.convolve("0.conv", x, shape.kernel_size, shortest=length)
    index = 1
    for ratio in reversed(shape.ratios):
        x = builder.node("Elu", parts.residuals(index, x, length))
        index += shape.num_residual_layers + 1
        x = parts.convolve(f"{index}.conv", x, 2 * ratio, stride=ratio, shortest=length)
        index, length = index + 1, length // ratio
    x = builder.node("Elu", parts.lstm(f"{index}.lstm", x))
    latent = parts.convolve(f"{index + 2}.conv", x, shape.last_kernel_size, shortest=1)
    _quantize(builder, latent, _codebooks(shape, weights))
    builder.output("codes", np.int64, [shape.num_codebooks, "frames"])


def context_frames(shape: CodecShape) -> tuple[int, int]:
    """Return the context in frames on each side that the first convolution and the up-sampling need at most."""
    need = shape.last_kernel_size // 2
    # Walk back from the samples: each layer adds its own reach, then the rate drops by the ratio.
    for ratio in reversed(shape.ratios):
        spread = sum(shape.dilation_growth**layer for layer in range(shape.num_residual_layers))
        need = -(-(need + spread * (shape.residual_kernel_size - 1) + ratio) // ratio)
    return shape.kernel_size - 1 if shape.causal else shape.kernel_size // 2, need


def _codebooks(shape: CodecShape, weights: Weights) -> list[NDArray[np.float32]]:
    return [weights[f"{PREFIX}quantizer.layers.{k}.codebook.embed"] for k in range(shape.num_codebooks)]


def _embed(builder: GraphBuilder, codes: str, codebooks: list[NDArray[np.float32]]) -> str:
    """Sum the vectors of all codebooks: (codebooks, frames) -> (1, latent, frames)."""
    total = ""
    for number, codebook in enumerate(codebooks):
        row = builder.node("Gather", codes, builder.constant(np.array(number, np.int64)), axis=0)
        vectors = builder.node("Gather", builder.constant(codebook), row, axis=0)
        total = builder.node("Add", total, vectors) if total else vectors
    batched = builder.node("Unsqueeze", total, builder.constant(np.array([0], np.int64)))
    return builder.node("Transpose", batched, perm=[0, 2, 1])


def _quantize(builder: GraphBuilder, latent: str, codebooks: list[NDArray[np.float32]]) -> None:
    """Quantize the residual codebook by codebook: (1, latent, frames) -> codes (codebooks, frames)."""
    rest = builder.node("Transpose", latent, perm=[0, 2, 1])
    rest = builder.node("Squeeze", rest, builder.constant(np.array([0], np.int64)))
    found = []
    for codebook in codebooks:
        vectors = builder.constant(codebook)
        # The squared distance is |x|^2 - 2 x.v + |v|^2, and |x|^2 is the same for every vector.
        doubled = builder.node("MatMul", rest, builder.constant(2 * codebook.T))
        nearness = builder.node("Sub", doubled, builder.constant((codebook**2).sum(axis=1)))
        chosen = builder.node("ArgMax", nearness, axis=1, keepdims=0)
        rest = builder.node("Sub", rest, builder.node("Gather", vectors, chosen, axis=0))
        found.append(builder.node("Unsqueeze", chosen, builder.constant(np.array([0], np.int64))))
    builder.nodes("Concat", found, ["codes"], axis=0)


@dataclass(frozen=True, slots=True)
class _CodecGraphBuilder:
    """The layers of EnCodec; ``shortest`` is the length of a layer's input for one frame of codes."""

    builder: GraphBuilder
    shape: CodecShape
    weights: Weights
    prefix: str

    @property
    def widest(self) -> int:
        """The number of channels at the frame rate."""
        return self.shape.num_filters << len(self.shape.ratios)

    def convolve(
        self, name: str, x: str, kernel: int, *, shortest: int, stride: int = 1, dilation: int = 1
    ) -> str:  # fmt: skip
        """Add a convolution that keeps the length, or divides it by the stride."""
        padding = (kernel - 1) * dilation + 1 - stride
        right = 0 if self.shape.causal else padding // 2
        padded = self._pad(x, padding - right, right, shortest)
        tensors = (self._constant(f"{name}.weight"), self._constant(f"{name}.bias"))
        return self.builder.node(
            "Conv", padded, *tensors, kernel_shape=[kernel], strides=[stride], dilations=[dilation]
        )

    def widen(self, name: str, x: str, ratio: int) -> str:
        """Add a transposed convolution that multiplies the length by ``ratio``; its kernel is twice the ratio.

        Each input and the one before it determine ``ratio`` outputs: a convolution of kernel 2 to ``ratio`` times the
        channels, rearranged in time, is the same sum as a ConvTranspose, which takes twice as long.
        """
        builder, weight = self.builder, self.weights[f"{self.prefix}{name}.weight"]
        inputs, outputs = weight.shape[:2]
        # Reverse the taps: a transposed convolution applies its kernel mirrored.
        phases = weight.reshape(inputs, outputs, 2, ratio)[:, :, ::-1].transpose(1, 3, 0, 2)
        kernel = builder.constant(phases.reshape(outputs * ratio, inputs, 2))
        bias = builder.constant(np.repeat(self.weights[f"{self.prefix}{name}.bias"], ratio))
        wide = builder.node("Conv", x, kernel, bias, kernel_shape=[2], pads=[1, 1])
        split = builder.node("Reshape", wide, builder.constant(np.array([outputs, ratio, -1], np.int64)))
        turned = builder.node("Transpose", split, perm=[0, 2, 1])
        whole = builder.node("Reshape", turned, builder.constant(np.array([1, outputs, -1], np.int64)))
        right = int(np.ceil(ratio * self.shape.trim_right_ratio)) if self.shape.causal else ratio // 2
        return self._slice(whole, ratio - right, -right if right else END)

    def residuals(self, index: int, x: str, shortest: int) -> str:
        """Add the residual blocks, each a narrowing and a widening convolution with a shortcut."""
        for layer in range(self.shape.num_residual_layers):
            name = f"{index + layer}"
            y = self.convolve(
                f"{name}.block.1.conv", self.builder.node("Elu", x), self.shape.residual_kernel_size,
                shortest=shortest, dilation=self.shape.dilation_growth**layer,
            )  # fmt: skip
            y = self.convolve(f"{name}.block.3.conv", self.builder.node("Elu", y), 1, shortest=shortest)
            if self.shape.conv_shortcut:
                x = self.convolve(f"{name}.shortcut.conv", x, 1, shortest=shortest)
            x = self.builder.node("Add", x, y)
        return x

    def lstm(self, name: str, x: str, *, with_state: bool = False) -> str:
        """Add the LSTM with its skip connection; ``with_state`` adds inputs and outputs for the state and the cell."""
        layers, width = self.shape.num_lstm_layers, self.widest
        before = [("", "")] * layers
        if with_state:
            before = list(zip(self._split("state", layers), self._split("cell", layers), strict=True))
        sequence = self.builder.node("Transpose", x, perm=[2, 0, 1])
        y, states, cells = sequence, [], []
        for layer in range(layers):
            inputs = [y, *self._lstm_tensors(f"{name}", layer), "", *before[layer]]
            y, state, cell = self.builder.nodes("LSTM", inputs, [None, None, None], hidden_size=width)
            y = self.builder.node("Squeeze", y, self.builder.constant(np.array([1], np.int64)))
            states.append(state)
            cells.append(cell)
        if with_state:
            for kind, parts in (("new_state", states), ("new_cell", cells)):
                self.builder.nodes("Concat", parts, [kind], axis=0)
                self.builder.output(kind, np.float32, [layers, 1, width])
        return self.builder.node("Transpose", self.builder.node("Add", y, sequence), perm=[1, 2, 0])

    def _split(self, name: str, count: int) -> list[str]:
        whole = self.builder.input(name, np.float32, [count, 1, self.widest])
        if count == 1:
            return [whole]
        return self.builder.nodes("Split", [whole], [None] * count, axis=0, num_outputs=count)

    def _lstm_tensors(self, name: str, layer: int) -> list[str]:
        """Return weights, recurrent weights and biases, with torch's gates (in, forget, cell, out) in ONNX's order."""

        def gates(part: str) -> NDArray[np.float32]:
            entry, forget, cell, out = np.split(self.weights[f"{self.prefix}{name}.{part}_l{layer}"], 4)
            return np.concatenate([entry, out, forget, cell])

        biases = np.concatenate([gates("bias_ih"), gates("bias_hh")])
        return [self.builder.constant(array[None]) for array in (gates("weight_ih"), gates("weight_hh"), biases)]

    def _pad(self, x: str, left: int, right: int, shortest: int) -> str:
        """Pad in the checkpoint's mode; an input too short to reflect is first padded with zeros, then cut."""
        if left == right == 0:
            return x
        builder, most = self.builder, max(left, right)
        if self.shape.pad_mode == "constant":
            return builder.node("Pad", x, builder.constant(np.array([0, 0, left, 0, 0, right], np.int64)))
        # The shortest input is known at build time, so most layers need no check at run time.
        if shortest > most:
            return self._reflected(x, left, right)
        length = builder.node("Shape", x, start=2, end=3)
        lacking = builder.node("Sub", builder.constant(np.array([most + 1], np.int64)), length)
        lacking = builder.node("Max", lacking, builder.constant(np.array([0], np.int64)))
        before = builder.constant(np.zeros(5, np.int64))
        longer = builder.node("Pad", x, builder.node("Concat", before, lacking, axis=0))
        stop = builder.node("Add", length, builder.constant(np.array([left + right], np.int64)))
        axis, start = builder.constant(np.array([2], np.int64)), builder.constant(np.array([0], np.int64))
        return builder.node("Slice", self._reflected(longer, left, right), start, stop, axis)

    def _reflected(self, x: str, left: int, right: int) -> str:
        """Join the mirrored ends to the middle: far faster than ONNX Runtime's Pad in reflect mode."""
        ends = [self._slice(x, left, 0, -1)] if left else []
        return self.builder.node("Concat", *ends, x, *([self._slice(x, -2, -2 - right, -1)] if right else []), axis=2)

    def _slice(self, x: str, start: int, stop: int, step: int = 1) -> str:
        numbers = [self.builder.constant(np.array([number], np.int64)) for number in (start, stop, 2, step)]
        return self.builder.node("Slice", x, *numbers)

    def _constant(self, name: str) -> str:
        return self.builder.constant(self.weights[f"{self.prefix}{name}"])
