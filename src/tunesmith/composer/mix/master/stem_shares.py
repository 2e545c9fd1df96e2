"""Finished stems: each stem's exact share of the mastered mix.

    pre-master ─ production ─ rate ─ master's gain ─ mix
        │ gain of each bending effect │       │
    stem ────── production ────── rate ───── × ───── its share

Filters, wow and held samples are linear, so a stem goes through its own copy of them. Saturation and bit reduction bend
the whole mix sample by sample: a stem gets the gain that the mix gets. What production adds, the surface of a record,
is a stem of its own. So the shares sum to the mix, however it was produced.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.resample import resample_blocks
from tunesmith.audio.spool import Spool
from tunesmith.composer.mix.control_rate import Curve
from tunesmith.composer.mix.master.chain import POSTROLL, apply_gain, level_of, produce, read_around
from tunesmith.composer.mix.master.gain_search import find_gain
from tunesmith.composer.mix.premaster import Session, premaster, stem_spools
from tunesmith.composer.mix.production import PREROLL, ProductionChain
from tunesmith.composer.mix.production.effect import Effect
from tunesmith.composer.mix.production.saturation import BitReduction, Saturation
from tunesmith.composer.mix.production.vinyl import Vinyl
from tunesmith.composer.render import length_in_samples
from tunesmith.composer.score import Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

SURFACE = "vinyl surface"
SILENCE = 1e-9
"""Below it the bus has no sign, and a bending effect passes it on unchanged."""


def stem_shares(score: Score, session: Session) -> Iterator[tuple[str, Spool]]:
    """Yield name and spool of every audible part and ambience, and of the vinyl's surface; the caller closes them.

    The spools have the rate and the channels of ``session.options`` and sum to ``mix_score``'s. One stem is rendered at
    a time, so memory does not grow with their number. Raises GenerationCancelled.
    """
    with premaster(score, session, share=0.0) as mix:
        gain = _gain_of(score, mix, session)
        for name, stem in stem_spools(score, session):
            with stem:
                yield name, _share(score, mix, stem, session, gain)
        if "vinyl" in score.mix.production:
            yield SURFACE, _share(score, mix, None, session, gain)


def _gain_of(score: Score, mix: Spool, session: Session) -> Curve:
    """Return the gain that masters the whole mix, (frames + 1,)."""
    with Spool(session.options.channels) as produced:
        frames = produce(score, mix, produced, session, 0.0, 0.0)
    return find_gain(frames, score.mix.loudness_lufs, loop=score.loop).gain


def _share(score: Score, mix: Spool, stem: Spool | None, session: Session, gain: Curve) -> Spool:
    """Return a stem's share of the mastered mix; without a stem, that of the vinyl's surface."""
    options = session.options
    length = length_in_samples(score, options.sample_rate)
    skip = PREROLL * options.sample_rate // SAMPLE_RATE if score.loop else 0
    result = Spool(options.channels)
    blocks = _produced(score, mix, stem, session)
    for block in resample_blocks(blocks, options.channels, SAMPLE_RATE, options.sample_rate):
        kept = block[:, skip:]
        skip = max(0, skip - block.shape[1])
        result.append(kept[:, : length - len(result)])
    for _ in apply_gain(result, gain, options.block):
        pass
    return result


def _produced(score: Score, mix: Spool, stem: Spool | None, session: Session) -> Iterator[Samples]:
    production = _Production(score, level_of(mix, session.options.block), has_surface=stem is None)
    first, last = (-PREROLL if score.loop else 0), len(mix) + POSTROLL
    for start in range(first, last, session.options.block):
        stop = min(last, start + session.options.block)
        whole = read_around(mix, start, stop, loop=score.loop)
        share = np.zeros_like(whole) if stem is None else read_around(stem, start, stop, loop=score.loop)
        block = production.apply(whole, share, start)
        yield block.mean(axis=0, keepdims=True) if session.options.channels == 1 else block


class _Production:
    """The production chain twice: for the whole bus, and for one stem of it."""

    def __init__(self, score: Score, level: float, *, has_surface: bool) -> None:
        whole, share = ProductionChain(score, level), ProductionChain(score, level)
        self._effects = tuple(zip(whole.effects, share.effects, strict=True))
        self._has_surface = has_surface

    def apply(self, whole: Samples, share: Samples, start: int) -> Samples:
        """Return what becomes of ``share``, a summand of ``whole``; both are (2, n) from sample ``start``."""
        for on_bus, on_stem in self._effects:
            before = whole
            whole = on_bus.apply(whole.copy(), start)
            share = self._shared(on_stem, before, whole, share, start)
        return share

    def _shared(self, effect: Effect, before: Samples, after: Samples, share: Samples, start: int) -> Samples:
        if isinstance(effect, Saturation | BitReduction):
            audible = np.abs(before) > SILENCE
            return np.asarray(share * np.divide(after, before, out=np.ones_like(before), where=audible), np.float32)
        if isinstance(effect, Vinyl) and not self._has_surface:
            return share
        return effect.apply(share, start)
