"""StreamedMusic: a piece of a stream, heard while it is made."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import numpy as np

from tunesmith.audio import Audio, Spool
from tunesmith.audio.resample import resample_blocks, resampled_length
from tunesmith.audio.spool import Samples
from tunesmith.generator import CancelCheck
from tunesmith.magenta_rt.sound_stream import SoundStream


def sound_blocks(
    stream: SoundStream, num_samples: int, cancelled: CancelCheck, on_block: Callable[[int], None]
) -> Generator[Samples]:
    """Yield ``num_samples`` samples of a stream, clipped at full scale as the model's own apps do, and close it.

    ``on_block`` gets the number of samples so far.
    """
    done = 0
    try:
        while done < num_samples and (block := stream.read(cancelled)) is not None:
            cut = np.clip(block[:, : num_samples - done], -1, 1)
            done += cut.shape[1]
            on_block(done)
            yield cut
    finally:
        stream.close()


class StreamedMusic:
    """The stream of a piece of known length; see MusicStream.

    ``blocks`` are at the sample rate and with the channels of ``model_format``; they are converted to those of
    ``music_format``, which has as many channels or one. ``num_samples`` are those at the model's rate.
    """

    def __init__(
        self, blocks: Generator[Samples], model_format: tuple[int, int], music_format: tuple[int, int],
        num_samples: int, metadata: Mapping[str, Any],
    ) -> None:  # fmt: skip
        rate_in, channels_in = model_format
        self.sample_rate, self.channels = music_format
        self.num_samples = resampled_length(num_samples, rate_in, self.sample_rate)
        self.metadata = metadata
        self.is_early = True
        self._source = blocks
        mixed = blocks if self.channels == channels_in else (one.mean(axis=0, keepdims=True) for one in blocks)
        self._blocks = resample_blocks(mixed, self.channels, rate_in, self.sample_rate)
        self._spool = Spool(self.channels)

    def blocks(self) -> Iterator[Samples]:
        """Yield the rest of the sound in order."""
        for block in self._blocks:
            if block.shape[1]:
                self._spool.append(block)
                yield block

    def audio(self) -> Audio:
        """Return the piece, once it is made."""
        for _ in self.blocks():
            pass
        return Audio.from_spool(self._spool, self.sample_rate, self.metadata)

    def close(self) -> None:
        """End the work, unless it is done."""
        self._source.close()
