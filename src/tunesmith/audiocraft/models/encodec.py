"""The codec of a model: audio to codes and back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.audiocraft.arrays import Tensor, to_array, to_samples, to_tensor
from tunesmith.audiocraft.errors import ArgumentError
from tunesmith.audiocraft.unsupported_names import attribute_finder

if TYPE_CHECKING:
    from tunesmith.musicgen.engine import Engine

__getattr__ = attribute_finder(__name__)


class CompressionModel:
    """The codec of a MusicGen or AudioGen: the attribute ``compression_model``.

    A stereo model has twice the codebooks, interleaved: [1L, 1R, 2L, 2R, …].
    """

    def __init__(self, engine: Engine) -> None:
        self._architecture = engine.architecture
        self._codec = engine.codec

    @property
    def sample_rate(self) -> int:
        """The sample rate in Hz."""
        return self._architecture.codec.sample_rate

    @property
    def frame_rate(self) -> float:
        """The number of frames per second."""
        return self._architecture.frame_rate

    @property
    def channels(self) -> int:
        """The number of audio channels."""
        return self._architecture.audio_channels

    @property
    def num_codebooks(self) -> int:
        """The number of codebooks, of all channels together."""
        return self._architecture.decoder.num_codebooks

    @property
    def total_codebooks(self) -> int:
        """The number of codebooks of one channel."""
        return self._architecture.codec.num_codebooks

    @property
    def cardinality(self) -> int:
        """The number of codes in a codebook."""
        return self._architecture.codec.codebook_size

    def set_num_codebooks(self, n: int) -> None:
        """Check that ``n`` is the number of codebooks of one channel; the model works with no other."""
        if n != self.total_codebooks:
            raise ArgumentError("n", f"must be {self.total_codebooks}, which the model was trained with, got {n!r}")

    def encode(self, x: Tensor) -> tuple[Tensor, None]:
        """Encode audio (batch, channels, samples) to codes (batch, codebooks, frames); there is no scale.

        The audio has the codec's sample rate; silence fills up its last frame. Raises ArgumentError.
        """
        samples = to_samples(x, "x")
        if samples.ndim != 3 or samples.shape[1] != self.channels or not samples.size:
            wanted = f"(batch, {self.channels}, samples)"
            raise ArgumentError("x", f"must have the shape {wanted}, got {samples.shape}")
        return to_tensor(np.stack([self.codes_of(one) for one in samples])), None

    def decode(self, codes: Tensor, scale: None = None) -> Tensor:
        """Decode codes (batch, codebooks, frames) to audio (batch, channels, samples). Raises ArgumentError."""
        array = to_array(codes, "codes")
        if array.ndim != 3 or array.shape[1] != self.num_codebooks or not array.size:
            wanted = f"(batch, {self.num_codebooks}, frames)"
            raise ArgumentError("codes", f"must have the shape {wanted}, got {array.shape}")
        if array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= self.cardinality:
            raise ArgumentError("codes", f"must be whole numbers below {self.cardinality}, from 0")
        if scale is not None:
            raise ArgumentError("scale", "must be None: the codec does not scale")
        return to_tensor(self.samples_of(array.astype(np.int64)))

    def eval(self) -> Self:
        """Return the codec itself, which is never trained."""
        return self

    def to(self, *_device_or_type: object, **_options: object) -> Self:
        """Return the codec itself, whatever the device."""
        return self

    def codes_of(self, samples: NDArray[np.float32]) -> NDArray[np.int64]:
        """Encode the audio (channels, samples) of one item to codes (codebooks, frames), rounded up to a frame."""
        missing = -samples.shape[1] % self._architecture.codec.hop
        return self._codec.encode(np.pad(samples, ((0, 0), (0, missing))))

    def samples_of(self, codes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Decode the codes (batch, codebooks, frames) of a batch to audio (batch, channels, samples)."""
        from tunesmith.config import load_settings
        from tunesmith.neural.sessions import usable_cores

        # This opens the graphs, which the threads must not do all at once.
        self._codec.stream()
        # A decode keeps few cores busy, because its recurrent layers go frame by frame: so the items share the cores.
        with ThreadPoolExecutor(load_settings().threads or usable_cores()) as pool:
            return np.stack(list(pool.map(self._codec.decode, codes)))
