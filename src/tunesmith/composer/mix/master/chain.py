"""The master in two passes: produce, convert and measure; then decide every gain, and apply it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.resample import resample_blocks
from tunesmith.audio.spool import Spool
from tunesmith.composer.mix.control_rate import CONTROL, Curve, at_audio_rate
from tunesmith.composer.mix.master.gain_search import find_gain
from tunesmith.composer.mix.master.loudness_frames import FrameMeter, Frames
from tunesmith.composer.mix.master.stretch_fader import stretch_fader
from tunesmith.composer.mix.premaster import Session
from tunesmith.composer.mix.production import PREROLL, ProductionChain
from tunesmith.composer.mix.production.effect import Effect
from tunesmith.composer.render import RenderThreads, length_in_samples
from tunesmith.composer.score import Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

POSTROLL = 4_096
"""Samples read past the end, so that the converter gives out everything: a loop's own head, else silence."""

MEASURING = 0.6
"""The first pass's share of the time that mastering takes."""


def master(score: Score, mix: Spool, session: Session, *, done: float) -> Spool:
    """Return the finished piece, (channels, n) at the rate asked for; the caller closes it.

    ``mix`` is the pre-master, which stays as it is; ``done`` is the fraction of the whole that lies behind.
    The length is exact, loudness is the score's within 0.5 LU wherever there is music, true peak is at most −1 dBTP.
    """
    result = Spool(session.options.channels)
    share = 1 - done
    frames = produce(score, mix, result, session, done, share * MEASURING)
    fader = stretch_fader(score, frames.sample_rate, len(frames.power))
    gain = find_gain(frames, score.mix.loudness_lufs, loop=score.loop, fader=fader).gain
    for fraction in apply_gain(result, gain, session.options.block):
        session.report("mastering", done + share * (MEASURING + (1 - MEASURING) * fraction))
    return result


def apply_gain(spool: Spool, gain: Curve, block: int) -> Iterator[float]:
    """Apply a gain at every frame border, (frames + 1,), to a spool in place; yield the fraction that is done."""
    frames, step = len(gain) - 1, block // CONTROL
    for first in range(0, frames, step):
        last = min(frames, first + step)
        samples = spool.read(first * CONTROL, min(len(spool), last * CONTROL))
        spool.write(first * CONTROL, samples * at_audio_rate(gain[first : last + 1])[: samples.shape[1]])
        yield last / frames


def produce(score: Score, mix: Spool, result: Spool, session: Session, done: float, share: float) -> Frames:
    """Append the produced and converted mix to ``result`` and measure it."""
    length = length_in_samples(score, session.options.sample_rate)
    meter = FrameMeter(session.options.sample_rate, session.options.channels)
    skip = preroll(score, session.options.sample_rate)
    production = ProductionChain(score, level_of(mix, session.options.block))
    with RenderThreads(min(2, session.options.threads_for(len(mix)))) as threads:
        metering = threads.start(lambda: None)
        for block in converted(score, mix, session, production):
            # One block is measured while the next is produced; the meter takes them in order.
            metering.result()
            if skip:
                meter.warm_up(block[:, :skip])
                block, skip = block[:, skip:], max(0, skip - block.shape[1])
            kept = block[:, : length - len(result)]
            if kept.shape[1]:
                result.append(kept)
                metering = threads.start(partial(meter.add, kept))
            session.report("mastering", done + share * len(result) / length)
        metering.result()
    assert len(result) == length
    return meter.frames()


def preroll(score: Score, sample_rate: int) -> int:
    """Return how many samples before its start ``converted`` yields of a piece: only a loop has any."""
    return PREROLL * sample_rate // SAMPLE_RATE if score.loop else 0


def converted(score: Score, mix: Spool, session: Session, production: Effect) -> Iterator[Samples]:
    """Yield what ``production`` makes of the mix, in the channels and at the rate asked for, from the pre-roll on."""
    options = session.options
    return resample_blocks(
        _produced(score, mix, session, production), options.channels, SAMPLE_RATE, options.sample_rate
    )


def _produced(score: Score, mix: Spool, session: Session, production: Effect) -> Iterator[Samples]:
    options = session.options
    first, last = -preroll(score, SAMPLE_RATE), len(mix) + POSTROLL
    for start in range(first, last, options.block):
        stop = min(last, start + options.block)
        block = production.apply(read_around(mix, start, stop, loop=score.loop), start)
        if options.channels == 1:
            block = block.mean(axis=0, keepdims=True)
        yield block


def read_around(mix: Spool, start: int, stop: int, *, loop: bool) -> Samples:
    """Read samples that may lie before the start or after the end: a loop goes round, all else is silent there."""
    length, blocks = len(mix), []
    while start < stop:
        position = start % length if loop else start
        taken = min(stop - start, length - position) if 0 <= position < length else stop - start
        inside = 0 <= position < length
        blocks.append(mix.read(position, position + taken) if inside else np.zeros((2, taken), np.float32))
        start += taken
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)


def level_of(mix: Spool, block: int) -> float:
    """Return the root mean square of the mix, never quite 0."""
    total = 0.0
    for start in range(0, len(mix), block):
        total += float(np.sum(np.square(mix.read(start, min(len(mix), start + block))), dtype=np.float64))
    return max(1e-4, math.sqrt(total / max(1, 2 * len(mix))))
