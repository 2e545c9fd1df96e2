"""Codec: codes to samples and back on ONNX Runtime, piece by piece in bounded memory.

A piece of codes goes through the LSTM with the state the piece before left, and its hidden frames wait until those
that the up-sampling sees after them are there too:

    codes    |=====|=====|==···           settled as far as the first convolution sees ahead
    hidden   |=====|=====|·               settled as far as the up-sampling sees ahead
    samples  |=====|====                  the same as of the whole, whatever the pieces
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
from tunesmith.musicgen.onnx.sessions import LazySession, SessionOptions, open_session
from tunesmith.musicgen.runner import CodecStream, Codes, Samples

PIECE_FRAMES = 100
"""Frames decoded at a time: the widest layer of a piece takes 64 filters x 640 samples x 4 bytes a frame."""

ENCODED_SECONDS, CONTEXT_SECONDS = 30.0, 2.0
"""How much of a recording is encoded at once: the widest layer takes 64 filters x 4 bytes a sample, 250 MB for 30 s."""

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EncodedStretch:
    """Frames ``first`` up to ``last`` of a recording, heard with what is around them from ``start`` up to ``stop``."""

    first: int
    last: int
    start: int
    stop: int


def encoded_stretches(frames: int, longest: int, context: int) -> list[EncodedStretch]:
    """Cut a recording into stretches of which no more than ``longest`` frames are heard at once; one if it fits."""
    if frames <= longest:
        return [EncodedStretch(0, frames, 0, frames)]
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
        # Two graphs run in turn: threads of the one that spin would take the cores from the other.
        self._options = options = replace(options, spinning=False)
        self._encoder = LazySession(folder / CODEC_ENCODER, options, keep=False)

    @cached_property
    def graphs(self) -> DecoderGraphs:
        """The decoder's graphs, opened when first needed."""
        return DecoderGraphs(self._folder, self.architecture, self._options)

    def encode(self, samples: Samples) -> Codes:
        """Encode (audio channels, samples); a last frame that is not whole is left out."""
        frames = samples.shape[1] // self.architecture.codec.hop
        rate = self.architecture.frame_rate
        stretches = encoded_stretches(frames, round(ENCODED_SECONDS * rate), round(CONTEXT_SECONDS * rate))
        channels = [
            np.concatenate([self._encode_stretch(channel, stretch) for stretch in stretches], axis=-1)
            for channel in samples
        ]
        return np.stack(channels, axis=1).reshape(-1, frames)

    def _encode_stretch(self, channel: Samples, stretch: EncodedStretch) -> Codes:
        hop = self.architecture.codec.hop
        heard = channel[None, None, stretch.start * hop : stretch.stop * hop]
        codes: Codes = self._encoder.run({"samples": np.ascontiguousarray(heard)})
        return codes[..., stretch.first - stretch.start : stretch.last - stretch.start]

    def decode(self, codes: Codes) -> Samples:
        """Decode it all: (codebooks, frames) -> (audio channels, frames x hop)."""
        stream = self.stream()
        pieces = [stream.feed(codes[:, i : i + PIECE_FRAMES]) for i in range(0, codes.shape[1], PIECE_FRAMES)]
        return np.concatenate([*pieces, stream.finish()], axis=1)

    def stream(self) -> CodecStream:
        """Start decoding piece by piece."""
        channels = self.architecture.audio_channels
        return _Stream([_Channel(self.graphs) for _ in range(channels)])


class DecoderGraphs:
    """The two graphs of the decoder, and how far each sees around a frame."""

    def __init__(self, folder: Path, architecture: Architecture, options: SessionOptions) -> None:
        from tunesmith.musicgen.graph.codec import context_frames

        self.shape = architecture.codec
        self.width = self.shape.num_filters * 2 ** len(self.shape.ratios)
        self.frames_context, self.samples_context = context_frames(self.shape)
        self.frames = open_session(folder / CODEC_FRAMES, options)
        self.samples = open_session(folder / CODEC_SAMPLES, options)


class _Stream:
    """The channels of a sound, whose codebooks are interleaved: [1L, 1R, 2L, 2R, …]."""

    def __init__(self, channels: list[_Channel]) -> None:
        self._channels = channels

    def feed(self, codes: Codes) -> Samples:
        """Take the next frames; return the samples that are settled."""
        count = len(self._channels)
        return np.stack([one.feed(codes[i::count], last=False) for i, one in enumerate(self._channels)])

    def finish(self) -> Samples:
        """Return the rest."""
        return np.stack([one.feed(None, last=True) for one in self._channels])


class _Channel:
    """One channel on its way: codes and hidden frames that are still needed, and the LSTM's state."""

    def __init__(self, graphs: DecoderGraphs) -> None:
        shape = graphs.shape
        self._graphs = graphs
        self._codes = _PendingFrames(np.zeros((shape.num_codebooks, 0), np.int64), graphs.frames_context)
        self._hidden = _PendingFrames(np.zeros((graphs.width, 0), np.float32), graphs.samples_context)
        self._state = np.zeros((shape.num_lstm_layers, 1, graphs.width), np.float32)
        self._cell = np.zeros_like(self._state)

    def feed(self, codes: Codes | None, *, last: bool) -> Array:
        """Return the samples (samples,) that are settled once these codes are there."""
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
    """Frames (rows, frames) that have come, of which ``context`` before and after a piece must be seen with it."""

    def __init__(self, nothing: NDArray[Any], context: int) -> None:
        self._frames = nothing
        self._context = context
        self._done = 0  # of the frames that are kept, those that were in a piece already

    def append(self, frames: NDArray[Any]) -> None:
        """Add what came."""
        self._frames = np.concatenate([self._frames, frames], axis=1)

    def take(self, *, last: bool) -> tuple[NDArray[Any], int, int] | None:
        """Return frames with their context, and where the settled piece of them starts and stops; None if none is."""
        stop = self._frames.shape[1] - (0 if last else self._context)
        if stop <= self._done:
            return None
        whole, start = self._frames, self._done
        kept = max(0, stop - self._context)
        self._frames, self._done = whole[:, kept:], stop - kept
        return whole, start, stop
