"""Audio: samples with their sample rate, sample format and metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from tunesmith.audio.sample_format import SampleFormat
from tunesmith.audio.spool import Samples as Samples
from tunesmith.audio.spool import Spool as Spool

# 1.5 s at 44.1 kHz.
BLOCK = 65_536


class Audio:
    """An immutable sound: an array of samples, or a Spool where it may be too long for memory.

    ``samples`` is (channels, samples) float32; ``sample_rate`` is in Hz; ``metadata`` holds plain JSON values;
    ``sample_format`` is that of the source file.
    """

    __slots__ = ("__weakref__", "_metadata", "_sample_format", "_sample_rate", "_source")

    def __init__(
        self,
        samples: Samples | Spool,
        sample_rate: int,
        metadata: Mapping[str, Any] | None = None,
        sample_format: SampleFormat = SampleFormat(),  # noqa: B008  # frozen
    ) -> None:
        if sample_rate < 1:
            raise ValueError(f"a sample rate is above 0 Hz, got {sample_rate}")
        if isinstance(samples, np.ndarray) and samples.ndim != 2:
            raise ValueError(f"samples must be (channels, samples), got {samples.shape}")
        self._source = samples
        self._sample_rate = sample_rate
        self._metadata = MappingProxyType(dict(metadata or {}))
        self._sample_format = sample_format

    @classmethod
    def from_spool(cls, spool: Spool, sample_rate: int, metadata: Mapping[str, Any] | None = None) -> Audio:
        """Return the sound in a spool. Nothing may change the spool afterwards."""
        return cls(spool, sample_rate, metadata)

    @property
    def samples(self) -> Samples:
        """All samples, (channels, samples). A spooled sound is read into memory; prefer ``blocks``."""
        return self._source.read() if isinstance(self._source, Spool) else self._source

    @property
    def sample_rate(self) -> int:
        """The sample rate in Hz."""
        return self._sample_rate

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata: title, prompt, seed, model, licence, settings …"""
        return self._metadata

    @property
    def sample_format(self) -> SampleFormat:
        """The sample format of the source file; without a bit depth for generated sound."""
        return self._sample_format

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self._source.channels if isinstance(self._source, Spool) else int(self._source.shape[0])

    @property
    def num_samples(self) -> int:
        """The number of samples per channel."""
        return len(self._source) if isinstance(self._source, Spool) else int(self._source.shape[1])

    @property
    def duration(self) -> float:
        """The duration in seconds."""
        return self.num_samples / self.sample_rate

    def blocks(self, size: int = BLOCK) -> Iterator[Samples]:
        """Yield the samples in order, in blocks of (channels, at most ``size``)."""
        if isinstance(self._source, Spool):
            yield from self._source.blocks(size)
            return
        for start in range(0, self.num_samples, size):
            yield self._source[:, start : start + size]

    def between(self, first: int, last: int) -> Samples:
        """Return the samples from ``first`` up to ``last``, (channels, last - first); silence outside the sound."""
        start, stop = max(0, first), max(0, min(last, self.num_samples))
        found = self._source.read(start, stop) if isinstance(self._source, Spool) else self._source[:, start:stop]
        out = np.zeros((self.channels, max(0, last - first)), np.float32)
        out[:, start - first : start - first + found.shape[1]] = found
        return out

    def with_metadata(self, **metadata: Any) -> Audio:
        """Return the same sound with these entries added to its metadata, or replaced in it."""
        return Audio(self._source, self.sample_rate, {**self.metadata, **metadata}, self.sample_format)

    def without_metadata(self) -> Audio:
        """Return the same sound with empty metadata."""
        return Audio(self._source, self.sample_rate, None, self.sample_format)

    def with_samples(
        self, samples: Samples | Spool, sample_rate: int | None = None, metadata: Mapping[str, Any] | None = None
    ) -> Audio:
        """Return other samples with this sound's sample format, and with its sample rate and metadata unless given."""
        channels = samples.channels if isinstance(samples, Spool) else len(samples)
        # A channel mask is valid for one number of channels only.
        sample_format = self.sample_format if channels == self.channels else self.sample_format.without_speakers()
        known = self.metadata if metadata is None else metadata
        return Audio(samples, sample_rate or self.sample_rate, known, sample_format)

    def save(self, path: str | Path, bits: int | None = None, sample_rate: int | None = None) -> Path:
        """Write a file in the format of its suffix and return its path.

        ``bits`` is 16, 24 or 32 (float) where the format has a choice. By default, the bit depth of the source file is
        kept as far as the format supports it; generated sound gets 16. ``sample_rate`` in Hz resamples. The file is
        written atomically. Warns (AudioFileWarning) of clipped samples and of a lower bit depth. Raises InvalidRequest
        for an unsupported suffix, AudioFileError if the file cannot be written.
        """
        from tunesmith.audio.writer import write_audio

        return write_audio(self, Path(path), bits=bits, sample_rate=sample_rate)

    def again(self, words: str = "", **fields: Any) -> Audio:
        """Generate this music again, changed by words such as ``"happier, without drums"``: see tunesmith.again."""
        changed: Audio = _door().again(self, words, **fields)
        return changed

    def vary(self, words: str = "", *, n: int = 5, **fields: Any) -> list[Audio]:
        """Generate ``n`` variations of this music, changed as by ``again``: see tunesmith.vary."""
        variations: list[Audio] = _door().vary(self, words, n=n, **fields)
        return variations

    def _repr_html_(self) -> str:
        """Return an HTML player for notebooks."""
        from tunesmith.audio.notebook import player_html

        return player_html(self)

    def __repr__(self) -> str:
        return f"Audio({self.duration:.3f} s, {self.sample_rate} Hz, {self.channels} channels)"


def _door() -> Any:
    # What makes music lies above this layer, so it is looked up once a piece is asked for.
    return import_module("tunesmith.changed_music")
