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
from tunesmith.audio.spool import Spool
from tunesmith.composer.mix.control_rate import Curve
from tunesmith.composer.mix.master.chain import apply_gain, converted, level_of, preroll, produce, read_around
from tunesmith.composer.mix.master.gain_search import find_gain
from tunesmith.composer.mix.master.stretch_fader import stretch_fader
from tunesmith.composer.mix.premaster import Session, render_premaster, stem_spools
from tunesmith.composer.mix.production import ProductionChain
from tunesmith.composer.mix.production.effect import Effect
from tunesmith.composer.mix.production.saturation import BitReduction, Saturation
from tunesmith.composer.mix.production.vinyl import Vinyl
from tunesmith.composer.render import length_in_samples
from tunesmith.composer.score import Score

SURFACE = "vinyl surface"
SILENCE = 1e-9
"""Below it the bus has no sign, and a bending effect passes it on unchanged."""


def stem_shares(score: Score, session: Session) -> Iterator[tuple[str, Spool]]:
    """Yield name and spool of every audible part and ambience, and of the vinyl's surface; the caller closes them.

    The spools have the rate and the channels of ``session.options`` and sum to ``mix_score``'s. One stem is rendered at
    a time, so memory does not grow with their number. Raises GenerationCancelled.
    """
    with Spool(2) as mix:
        music = render_premaster(mix, score, session, share=0.0)
        gain, level = _gain_of(score, mix, session), level_of(mix, session.options.block)
        for name, stem in stem_spools(score, session, music):
            with stem:
                yield name, _mastered(score, mix, session, _StemProduction(score, level, stem), gain)
        if "vinyl" in score.mix.production:
            yield SURFACE, _mastered(score, mix, session, _StemProduction(score, level, None), gain)


def _gain_of(score: Score, mix: Spool, session: Session) -> Curve:
    """Return the gain that masters the whole mix, (frames + 1,)."""
    with Spool(session.options.channels) as produced:
        frames = produce(score, mix, produced, session, 0.0, 0.0)
    fader = stretch_fader(score, frames.sample_rate, len(frames.power))
    return find_gain(frames, score.mix.loudness_lufs, loop=score.loop, fader=fader).gain


def _mastered(score: Score, mix: Spool, session: Session, production: _StemProduction, gain: Curve) -> Spool:
    """Return a stem's share of the mastered mix."""
    length = length_in_samples(score, session.options.sample_rate)
    skip = preroll(score, session.options.sample_rate)
    result = Spool(session.options.channels)
    for block in converted(score, mix, session, production):
        kept = block[:, skip:]
        skip = max(0, skip - block.shape[1])
        result.append(kept[:, : length - len(result)])
    for _ in apply_gain(result, gain, session.options.block):
        pass
    return result


class _StemProduction:
    """The production chain twice, for the whole bus and for one stem of it; without a stem, for the vinyl's surface."""

    def __init__(self, score: Score, level: float, stem: Spool | None) -> None:
        whole, share = ProductionChain(score, level), ProductionChain(score, level)
        self._effects = tuple(zip(whole.effects, share.effects, strict=True))
        self._stem = stem
        self._loop = score.loop

    def apply(self, block: Samples, start: int) -> Samples:
        """Return what becomes of the stem in ``block`` of the bus, (2, n) from sample ``start``."""
        share = self._read(start, start + block.shape[1])
        for on_bus, on_stem in self._effects:
            before = block
            block = on_bus.apply(block.copy(), start)
            share = self._shared(on_stem, before, block, share, start)
        return share

    def _read(self, start: int, stop: int) -> Samples:
        if self._stem is None:
            return np.zeros((2, stop - start), np.float32)
        return read_around(self._stem, start, stop, loop=self._loop)

    def _shared(self, effect: Effect, before: Samples, after: Samples, share: Samples, start: int) -> Samples:
        if isinstance(effect, Saturation | BitReduction):
            audible = np.abs(before) > SILENCE
            return np.asarray(share * np.divide(after, before, out=np.ones_like(before), where=audible), np.float32)
        if isinstance(effect, Vinyl) and self._stem is not None:
            return share
        return effect.apply(share, start)
