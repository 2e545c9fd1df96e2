"""Codec: codes to samples and back on ONNX Runtime, chunk by chunk in bounded memory.

A chunk of codes passes through the LSTM with the state of the chunk before, and its hidden frames wait for the frames
after them that the up-sampling needs:

    codes    |=====|=====|==···           settled up to the look-ahead of the first convolution
    hidden   |=====|=====|·               settled up to the look-ahead of the up-sampling
    samples  |=====|====                  equal to the one-shot decode, whatever the chunks
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.model_folder import CODEC_ENCODER, CODEC_FRAMES, CODEC_SAMPLES
from tunesmith.musicgen.runner import CodecStream, Codes, Samples
from tunesmith.neural.sessions import LazySession, SessionOptions, open_session

CHUNK_FRAMES = 100
"""Frames decoded at a time: the widest layer of a chunk takes 64 filters x 640 samples x 4 bytes per frame."""

ENCODED_SECONDS, CONTEXT_SECONDS = 30.0, 2.0
"""Audio encoded at a time: the widest layer takes 64 filters x 4 bytes per sample, 250 MB for 30 s."""

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EncodedStretch:
    """Frames ``first`` to ``last`` of a recording, encoded with context from ``start`` to ``stop``."""

    first: int
    last: int
    start: int
    stop: int


def encoded_stretches(frames: int, longest: int, context: int) -> list[EncodedStretch]:
    """Cut a recording into stretches of at most ``longest`` frames with their context; one stretch if it fits."""
    if frames <= longest:
        return [EncodedStretch(0, frames, 0, frames)]
    # Context on both sides hides the seams: the LSTM and the convolutions settle on it.
    size = longest - 2 * context
    return [
        EncodedStretch(first, min(first + size, frames), max(0, first - context), min(first + size + context, frames))
        for first in range(0, frames, size)
    ]


class OnnxCodec:
    """The codec of a model folder; the encoder, which few requests need, is in memory only while it runs."""

    def __init__(self, folder: Path, architecture: Architecture, options: SessionOptions) -> None:
        self.architecture = architecture
        self._folder = folder
        # The two graphs run in turn: spinning threads of one would take the cores from the other.
        self._options = options = replace(options, spinning=False)
        self._encoder = LazySession(folder / CODEC_ENCODER, options, keep=False)

    @cached_property
    def graphs(self) -> DecoderGraphs:
        """The decoder's graphs, opened at first use."""
        return DecoderGraphs(self._folder, self.architecture, self._options)

    def encode(self, samples: Samples) -> Codes:
        """Encode (audio channels, samples) to codes (codebooks, frames); an incomplete last frame is dropped."""
        frames = samples.shape[1] // self.architecture.codec.hop
        rate = self.architecture.frame_rate
        stretches = encoded_stretches(frames, round(ENCODED_SECONDS * rate), round(CONTEXT_SECONDS * rate))
        channels = [
            np.concatenate([self._encode_stretch(channel, stretch) for stretch in stretches], axis=-1)
            for channel in samples
        ]
        # Axis 1 interleaves the channels: [1L, 1R, 2L, 2R, …].
        return np.stack(channels, axis=1).reshape(-1, frames)

    def _encode_stretch(self, channel: Samples, stretch: EncodedStretch) -> Codes:
        hop = self.architecture.codec.hop
        samples = channel[None, None, stretch.start * hop : stretch.stop * hop]
        codes: Codes = self._encoder.run({"samples": np.ascontiguousarray(samples)})
        return codes[..., stretch.first - stretch.start : stretch.last - stretch.start]

    def decode(self, codes: Codes) -> Samples:
        """Decode all codes: (codebooks, frames) -> (audio channels, frames x hop)."""
        stream = self.stream()
        pieces = [stream.feed(codes[:, i : i + CHUNK_FRAMES]) for i in range(0, codes.shape[1], CHUNK_FRAMES)]
        return np.concatenate([*pieces, stream.finish()], axis=1)

    def stream(self) -> CodecStream:
        """Start decoding chunk by chunk."""
        channels = self.architecture.audio_channels
        return _Stream([_Channel(self.graphs) for _ in range(channels)])


class DecoderGraphs:
    """The two graphs of the decoder, and the context each needs around a frame."""

    def __init__(self, folder: Path, architecture: Architecture, options: SessionOptions) -> None:
        # The graph package imports ``onnx``, which is slow: postpone it to the first decode.
        from tunesmith.musicgen.graph.codec import context_frames

        self.shape = architecture.codec
        self.width = self.shape.num_filters * 2 ** len(self.shape.ratios)
        self.frames_context, self.samples_context = context_frames(self.shape)
        self.frames = open_session(folder / CODEC_FRAMES, options)
        self.samples = open_session(folder / CODEC_SAMPLES, options)


class _Stream:
    """The channels of a stream, whose codebooks are interleaved: [1L, 1R, 2L, 2R, …]."""

    def __init__(self, channels: list[_Channel]) -> None:
        self._channels = channels

    def feed(self, codes: Codes) -> Samples:
        """Add the next frames; return the settled samples."""
        count = len(self._channels)
        return np.stack([one.feed(codes[i::count], last=False) for i, one in enumerate(self._channels)])

    def finish(self) -> Samples:
        """Return the remaining samples."""
        return np.stack([one.feed(None, last=True) for one in self._channels])


class _Channel:
    """One channel of a stream: the codes and hidden frames still needed, and the LSTM's state."""

    def __init__(self, graphs: DecoderGraphs) -> None:
        shape = graphs.shape
        self._graphs = graphs
        self._codes = _PendingFrames(np.zeros((shape.num_codebooks, 0), np.int64), graphs.frames_context)
        self._hidden = _PendingFrames(np.zeros((graphs.width, 0), np.float32), graphs.samples_context)
        self._state = np.zeros((shape.num_lstm_layers, 1, graphs.width), np.float32)
        self._cell = np.zeros_like(self._state)

    def feed(self, codes: Codes | None, *, last: bool) -> Array:
        """Return the samples (samples,) that are settled after these codes."""
        if codes is not None:
            self._codes.append(codes)
        if piece := self._codes.take(last=last):
            self._hidden.append(self._run_frames(*piece))
        if piece := self._hidden.take(last=last):
            return self._run_samples(*piece)
        return np.zeros(0, np.float32)

    def _run_frames(self, codes: Codes, start: int, stop: int) -> Array:
        inputs = {
            "codes": np.ascontiguousarray(codes), "start": np.array([start]), "stop": np.array([stop]),
            "state": self._state, "cell": self._cell,
        }  # fmt: skip
        hidden, self._state, self._cell = self._graphs.frames.run(["hidden", "new_state", "new_cell"], inputs)
        first: Array = hidden[0]
        return first

    def _run_samples(self, hidden: Array, start: int, stop: int) -> Array:
        (samples,) = self._graphs.samples.run(None, {"hidden": np.ascontiguousarray(hidden[None])})
        hop = self._graphs.shape.hop
        settled: Array = samples[0, 0, start * hop : stop * hop]
        return settled


class _PendingFrames:
    """A buffer of frames (rows, frames) that keeps ``context`` frames before and after the next chunk."""

    def __init__(self, nothing: NDArray[Any], context: int) -> None:
        self._frames = nothing
        self._context = context
        # The number of buffered frames that were already in a chunk and remain as context.
        self._done = 0

    def append(self, frames: NDArray[Any]) -> None:
        """Append frames."""
        self._frames = np.concatenate([self._frames, frames], axis=1)

    def take(self, *, last: bool) -> tuple[NDArray[Any], int, int] | None:
        """Return frames with their context and the start and stop of the settled ones; None if none are settled."""
        stop = self._frames.shape[1] - (0 if last else self._context)
        if stop <= self._done:
            return None
        whole, start = self._frames, self._done
        # Keep the context before the next chunk; the rest is never read again.
        kept = max(0, stop - self._context)
        self._frames, self._done = whole[:, kept:], stop - kept
        return whole, start, stop
