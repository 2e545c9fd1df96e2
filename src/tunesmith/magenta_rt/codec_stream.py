"""The codec's decoder on ONNX Runtime, chunk by chunk: what a stream remembers is all it needs of its past.

Sound frame t is heard with code frame t but needs frame t + 1, so that n + 1 frames of codes give n frames of sound:
the spectra of the first frame's worth of a stream are dropped. Spectra overlap by half.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tunesmith.audio.spool import Samples
from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.model_folder import CODEBOOKS, CODEC
from tunesmith.neural.sampling import Codes
from tunesmith.neural.sessions import SessionOptions, open_session, shrinking, usable_cores

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

LOOK_AHEAD_FRAMES = 1
"""Frames of codes beyond those of the sound."""
FULL_SCALE = 2.0
"""The codec's full scale in ours."""

Array = NDArray[np.float32]


class SpectroStreamDecoder:
    """The decoder of a model folder; ``stream`` starts a stream, of which several may run at once."""

    def __init__(self, folder: Path, architecture: MagentaArchitecture, options: SessionOptions) -> None:
        self.architecture = architecture
        # Without the arena, the memory of every large map would be mapped anew in each run: up to a fifth of the time.
        kept = replace(options, arena=True, memory_pattern=False)
        self._session: InferenceSession = open_session(folder / CODEC, kept)
        # More runs at once than processors would be no faster, and each takes up to 74 MB.
        at_once = max(1, usable_cores() // max(1, options.num_threads or usable_cores()))
        self._turns = threading.BoundedSemaphore(at_once)
        self._codebooks = np.load(folder / CODEBOOKS, mmap_mode="r").view(np.ndarray)
        self._window = synthesis_window(architecture.codec.fft_size)

    def stream(self) -> SpectraStream:
        """Start to decode a stream."""
        return SpectraStream(self, self._codebooks, self._window)

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what a stream remembers, by the names of the inputs."""
        return {one.name: tuple(one.shape) for one in self._session.get_inputs() if one.name != "latents"}

    def run(self, latents: Array, states: Mapping[str, Array], *, is_last: bool = False) -> Array:
        """Return the spectra (channels, 2, times, bins) of latents (frames, latent).

        ``states``, what is remembered of the frames before, then remember these. The last run of a stream gives back
        the memory that no other run uses.
        """
        outputs = ["spectra", *(name.replace("past", "next") for name in states)]
        with self._turns:
            inputs = {"latents": latents, **states}
            spectra, *remembered = self._session.run(outputs, inputs, shrinking() if is_last else None)
            # Copies: results that stay would keep whole regions of the arena, 17 MB with the gaps between them.
            for state, new in zip(states.values(), remembered, strict=True):
                state[...] = new
            return np.array(spectra)

    def decode(self, codes: Codes, chunk_frames: int = 5) -> Samples:
        """Decode codes (codebooks, n + 1) to samples (channels, n x frame size)."""
        stream = self.stream()
        starts = range(0, codes.shape[1], chunk_frames)
        return np.concatenate([stream.feed(codes[:, start : start + chunk_frames]) for start in starts], axis=1)


class SpectraStream:
    """One stream of codes."""

    def __init__(self, decoder: SpectroStreamDecoder, codebooks: Array, window: Array) -> None:
        shape = decoder.architecture.codec
        self._decoder = decoder
        self._codebooks = codebooks
        self._window = window
        self._hop = shape.hop_size
        self._states = {name: np.zeros(size, np.float32) for name, size in decoder.state_shapes.items()}
        self._tail = np.zeros((shape.audio_channels, shape.hop_size), np.float32)
        self._to_drop = LOOK_AHEAD_FRAMES * shape.spectra_per_frame

    def feed(self, codes: Codes, *, is_last: bool = False) -> Samples:
        """Decode the next frames (codebooks, n); return the samples (channels, m) that are settled.

        The first frame of a stream gives none, each other one a whole frame of sound. Samples are not clipped.
        """
        latents = self._codebooks[np.arange(len(codes))[:, None], codes].sum(axis=0)
        spectra = self._decoder.run(latents, self._states, is_last=is_last)
        kept = spectra[:, :, self._to_drop :]
        self._to_drop = max(0, self._to_drop - spectra.shape[2])
        return self._overlap_add(kept)

    def _overlap_add(self, spectra: Array) -> Samples:
        """Return the samples of spectra (channels, 2, n, bins), and keep the second half of the last."""
        channels, _, count, bins = spectra.shape
        if not count:
            return np.zeros((channels, 0), np.float32)
        # The bin of the Nyquist frequency is not in the model: it is 0.
        whole = np.zeros((channels, count, bins + 1), np.complex64)
        whole.real[..., :bins], whole.imag[..., :bins] = spectra[:, 0], spectra[:, 1]
        pieces = np.fft.irfft(whole, 2 * self._hop, axis=-1).astype(np.float32) * self._window
        first, second = pieces[..., : self._hop], pieces[..., self._hop :]
        first[:, 1:] += second[:, :-1]
        first[:, 0] += self._tail
        # A copy, because a view would keep all spectra of the chunk in memory.
        self._tail = second[:, -1].copy()
        return np.asarray(first.reshape(channels, -1) / np.float32(FULL_SCALE), np.float32)


def synthesis_window(size: int) -> Array:
    """Return the window (size,) with which spectra, analysed with a periodic Hann window, add up to the sound."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    overlapped = np.square(hann).reshape(2, -1).sum(axis=0)
    return np.asarray(hann / np.tile(overlapped, 2), np.float32)
