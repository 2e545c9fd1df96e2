"""Resampling with soxr, whole or block by block; the length is always round(samples * out / in)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.audio.resampled_length import resampled_length as resampled_length
from tunesmith.audio.spool import Samples, Spool

if TYPE_CHECKING:
    from tunesmith.audio.buffer import Audio


def resample(audio: Audio, sample_rate: int) -> Audio:
    """Return the same sound at another sample rate in Hz; long sounds stay on disk."""
    if sample_rate == audio.sample_rate:
        return audio
    spool = Spool(audio.channels)
    for block in resample_blocks(audio.blocks(), audio.channels, audio.sample_rate, sample_rate):
        spool.append(block)
    return audio.with_samples(spool, sample_rate)


def resample_blocks(blocks: Iterable[Samples], channels: int, rate_in: int, rate_out: int) -> Iterator[Samples]:
    """Resample a stream of (channels, n) blocks between rates in Hz; the total length is :func:`resampled_length`."""
    import soxr

    if rate_in == rate_out:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate_in, rate_out, channels, dtype="float32", quality="HQ")
    read = written = 0
    for block in blocks:
        read += block.shape[1]
        out = np.asarray(stream.resample_chunk(np.ascontiguousarray(block.T, dtype=np.float32)), dtype=np.float32)
        # soxr may emit a sample more than the rounded length; padding at the end makes up for one less.
        out = out[: resampled_length(read, rate_in, rate_out) - written]
        written += out.shape[0]
        yield np.ascontiguousarray(out.T)
    rest = np.asarray(stream.resample_chunk(np.zeros((0, channels), np.float32), last=True), dtype=np.float32)
    missing = resampled_length(read, rate_in, rate_out) - written
    rest = rest.reshape(-1, channels)[:missing]
    padding = np.zeros((missing - rest.shape[0], channels), dtype=np.float32)
    yield np.ascontiguousarray(np.concatenate([rest, padding]).T)
