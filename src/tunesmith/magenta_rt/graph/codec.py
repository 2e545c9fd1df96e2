"""The decoder of SpectroStream as a graph: vectors of codes in, spectra out, with what it remembers of the past.

    latents (frames, latent) -> spectra (audio channels, 2, 4 x frames, bins): real and imaginary parts

Every convolution is causal in time: what it needs of earlier frames is the input ``past_i`` (groups, channels, times,
bins), zeros at the start of a stream, and the next run's is the output ``next_i``. Maps are (groups, channels, time,
bins); a group is an audio channel once the channels are split.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tunesmith.magenta_rt.architecture import MagentaArchitecture, SpectroStreamShape
from tunesmith.magenta_rt.graph.names import CODEC_DECODER
from tunesmith.magenta_rt.graph.stack import Array, Weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import END, cut, integers, reshape, scalar

SHORTEST_KERNEL = 3
PARTS = 2
"""The real and the imaginary part of a bin."""
OUTPUT_BINS = 8


def build_codec(builder: GraphBuilder, architecture: MagentaArchitecture, weights: Weights) -> None:
    """Build the graph described above, in float32: the maps reach millions, which no smaller number type holds."""
    _Codec(builder, architecture.codec, weights).build()


@dataclass(frozen=True, slots=True)
class _Map:
    """A map: the name of its value, and its sizes; ``groups`` is 1 until the channels are split."""

    name: str
    channels: int
    bins: int
    groups: int = 1


@dataclass(frozen=True, slots=True)
class _Taps:
    """The part of a kernel (times, bins, in, out) that meets numbers, and the bins to pad on either side."""

    kernel: Array
    bins_before: int
    bins_after: int


def _taps(kernel: Array, strides: tuple[int, int], phase: tuple[int, int]) -> _Taps:
    """Return the taps for one row and column of the cells of strides (time, bins).

    The cross-correlation reads ``dilated[j + k - left]`` for the tap k of the result j. Input n lies at n x stride, so
    result i x stride + phase meets input i + m by the tap m x stride - phase + left.
    """
    times, bins = kernel.shape[:2]
    # Causal in time; in bins as JAX pads a transposed convolution of the same length.
    lefts = times - 1, -(-(bins + strides[1] - 2) // 2)
    by_time = _places(times, strides[0], phase[0], lefts[0])
    by_bin = _places(bins, strides[1], phase[1], lefts[1])
    part = kernel[list(by_time.values())][:, list(by_bin.values())]
    return _Taps(part, -min(by_bin), max(by_bin))


def _places(size: int, stride: int, phase: int, left: int) -> dict[int, int]:
    """Return the tap that meets each input, by the input's place beside that of the result's cell."""
    found = {place: place * stride - phase + left for place in range(-size, size)}
    return {place: tap for place, tap in found.items() if 0 <= tap < size}


@dataclass(frozen=True, slots=True)
class _Codec:
    builder: GraphBuilder
    shape: SpectroStreamShape
    weights: Weights
    remembered: list[str] = field(default_factory=list)

    def build(self) -> None:
        shape, builder = self.shape, self.builder
        latents = builder.input("latents", np.float32, ["frames", shape.latent_size])
        x = self._residual_unit(self._input_layers(latents))
        for number, (strides, channels) in enumerate(zip(shape.strides, shape.channels, strict=True)):
            x = self._up_unit(x, f"decoder_{number}", strides, channels)
            if number == shape.split_after:
                x = self._split(x)
        self._last_convolution(self._elu(x), "output_layer/base_conv_last")
        builder.output("spectra", np.float32, [x.groups, PARTS, "times", x.bins])

    def _input_layers(self, latents: str) -> _Map:
        shape = self.shape
        first = self._dense(latents, "input_layer/conv1x1_first")
        inner = self._elu_of(self._dense(latents, "input_layer/shortcut_layer/conv1x1_b1"))
        total = self.builder.node("Add", first, self._dense(inner, "input_layer/shortcut_layer/conv1x1_b2"))
        split = reshape(self.builder, total, 1, -1, shape.base_bins, shape.base_channels)
        # The projection gives bins first, then channels.
        name = self.builder.node("Transpose", split, perm=[0, 3, 1, 2])
        return _Map(name, shape.base_channels, shape.base_bins)

    def _dense(self, x: str, name: str) -> str:
        kernel, bias = self._weights(name)
        return self.builder.exact_linear(x, kernel[0, 0].T, bias)

    def _residual_unit(self, x: _Map) -> _Map:
        inner = self._convolve(self._elu(x), "input_layers_residual_unit/conv2d_3x3_a")
        return self._sum(x, self._convolve(self._elu(inner), "input_layers_residual_unit/conv2d_3x3"))

    def _up_unit(self, x: _Map, unit: str, strides: tuple[int, int], channels: int) -> _Map:
        """Add up-sampling by strides (time, bins) with a shortcut that repeats what was there."""
        # The published names hold the size of the kernel, which follows from the strides.
        kernel = "x".join(str(max(SHORTEST_KERNEL, 2 * stride)) for stride in strides)
        inner = self._up(self._elu(x), f"{unit}/conv2dtranspose_{kernel}", strides)
        inner = self._convolve(self._elu(inner), f"{unit}/conv2d_3x3")
        if channels != x.channels:
            x = self._convolve(x, f"{unit}/shortcut_layer/conv1x1")
        return self._sum(self._repeat(x, strides), inner)

    def _convolve(self, x: _Map, name: str) -> _Map:
        """Add a convolution, causal in time and centred in bins."""
        kernel, bias = self._weights(name)
        times, bins, _, channels = kernel.shape
        value = self._remember(x, times - 1) if times > 1 else x.name
        before = (bins - 1) // 2
        value = self.builder.node(
            "Conv", value, self.builder.constant(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))),
            self.builder.constant(bias), kernel_shape=[times, bins], pads=[0, before, 0, bins - 1 - before],
        )  # fmt: skip
        return _Map(value, channels, x.bins, x.groups)

    def _last_convolution(self, x: _Map, name: str) -> None:
        """Add the convolution to the real and imaginary parts, several bins of one part at once.

        Its two channels would leave most of a vector register empty, which takes as long as a full one: the channels of
        this one are all ``OUTPUT_BINS`` neighbouring bins, which see a common, wider window.
        """
        kernel, bias = self._weights(name)
        times, bins, channels, parts = kernel.shape
        wide = np.zeros((OUTPUT_BINS, parts, channels, times, bins + OUTPUT_BINS - 1), np.float32)
        for place in range(OUTPUT_BINS):
            wide[place, :, :, :, place : place + bins] = kernel.transpose(3, 2, 0, 1)
        before = (bins - 1) // 2
        value = self.builder.node(
            "Conv", self._remember(x, times - 1), self.builder.constant(wide.reshape(-1, *wide.shape[2:])),
            self.builder.constant(np.tile(bias, OUTPUT_BINS)), kernel_shape=list(wide.shape[3:]),
            strides=[1, OUTPUT_BINS], pads=[0, before, 0, bins - 1 - before],
        )  # fmt: skip
        cells = reshape(self.builder, value, x.groups, OUTPUT_BINS, parts, -1, x.bins // OUTPUT_BINS)
        ordered = self.builder.node("Transpose", cells, perm=[0, 2, 3, 4, 1])
        sizes = integers(self.builder, x.groups, parts, -1, x.bins)
        self.builder.nodes("Reshape", [ordered, sizes], ["spectra"])

    def _up(self, x: _Map, name: str, strides: tuple[int, int]) -> _Map:
        """Add an up-sampling convolution, the cross-correlation of the kernel with a map dilated by zeros.

        Zeros need no products: each of the columns (and rows) of a cell of the result is a plain convolution with the
        taps of the kernel that meet numbers, and the cells are put together afterwards.
        """
        kernel, bias = self._weights(name)
        by_time, by_bin = strides
        channels = kernel.shape[3]
        # With a stride in time, half of the taps meet zeros, so one past time is enough.
        value = self._remember(x, 1 if by_time > 1 else kernel.shape[0] - 1)
        cells = [
            self._phase(value, _taps(kernel, strides, (time, bin_)), bias)
            for time in range(by_time)
            for bin_ in range(by_bin)
        ]
        return _Map(self._interleave(cells, strides, x, channels), channels, x.bins * by_bin, x.groups)

    def _phase(self, x: str, taps: _Taps, bias: Array) -> str:
        """Add one column and row of every cell: (groups, channels, times, bins)."""
        kernel = self.builder.constant(np.ascontiguousarray(taps.kernel.transpose(3, 2, 0, 1)))
        return self.builder.node(
            "Conv", x, kernel, self.builder.constant(bias), kernel_shape=list(taps.kernel.shape[:2]),
            pads=[0, taps.bins_before, 0, taps.bins_after],
        )  # fmt: skip

    def _interleave(self, cells: list[str], strides: tuple[int, int], x: _Map, channels: int) -> str:
        """Put the rows and columns of the cells together: bins first, then times."""
        by_time, by_bin = strides
        rows = [self._join(cells[time * by_bin : (time + 1) * by_bin], axis=4) for time in range(by_time)]
        rows = [reshape(self.builder, row, x.groups, channels, -1, x.bins * by_bin) for row in rows]
        joined = self._join(rows, axis=3)
        return reshape(self.builder, joined, x.groups, channels, -1, x.bins * by_bin)

    def _join(self, values: list[str], axis: int) -> str:
        """Concatenate along a new axis; a single value stays as it is."""
        if len(values) == 1:
            return values[0]
        new = integers(self.builder, axis)
        return self.builder.node("Concat", *[self.builder.node("Unsqueeze", one, new) for one in values], axis=axis)

    def _repeat(self, x: _Map, strides: tuple[int, int]) -> _Map:
        """Add repetition of times and bins."""
        if strides == (1, 1):
            return x
        scales = self.builder.constant(np.array([1, 1, *strides], np.float32))
        name = self.builder.node(
            "Resize", x.name, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )  # fmt: skip
        return _Map(name, x.channels, x.bins * strides[1], x.groups)

    def _split(self, x: _Map) -> _Map:
        """Cut the channels into one group for each audio channel."""
        groups = self.shape.audio_channels
        channels = x.channels // groups
        return _Map(reshape(self.builder, x.name, groups, channels, -1, x.bins), channels, x.bins, groups)

    def _remember(self, x: _Map, times: int) -> str:
        """Put the last times of the past before a map, and remember the last of both."""
        number, sizes = len(self.remembered), [x.groups, x.channels, times, x.bins]
        past = self.builder.input(f"past_{number}", np.float32, sizes)
        joined = self.builder.node("Concat", past, x.name, axis=2)
        last = cut(self.builder, joined, -times, END, 2)
        self.builder.nodes("Identity", [last], [f"next_{number}"])
        self.remembered.append(self.builder.output(f"next_{number}", np.float32, sizes))
        return joined

    def _elu(self, x: _Map) -> _Map:
        return _Map(self._elu_of(x.name), x.channels, x.bins, x.groups)

    def _elu_of(self, x: str) -> str:
        """Add ELU as max(x, exp(min(x, 0)) - 1): four plain passes take 0.4 of the time of ONNX Runtime's operator."""
        below = self.builder.node("Exp", self.builder.node("Min", x, scalar(self.builder, 0)))
        return self.builder.node("Max", x, self.builder.node("Add", below, scalar(self.builder, -1)))

    def _sum(self, x: _Map, y: _Map) -> _Map:
        return _Map(self.builder.node("Add", x.name, y.name), y.channels, y.bins, y.groups)

    def _weights(self, name: str) -> tuple[Array, Array]:
        """Return the kernel (times, bins, in, out) and the bias (out,) of a convolution."""
        return tuple(self.weights[f"{CODEC_DECODER}/{name}/conv/{part}"] for part in ("kernel", "bias"))  # type: ignore[return-value]
