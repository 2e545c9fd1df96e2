"""The composer's own stems laid over the model's sound, aligned to the sample, so that their grid is exact."""

from __future__ import annotations

import numpy as np

from tunesmith.audio import Audio, Spool
from tunesmith.audio.edit import gain
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.resample import resample
from tunesmith.composer.composition import Composition
from tunesmith.errors import InvalidRequest
from tunesmith.generator import CancelCheck


def check_roles(composition: Composition, roles: tuple[str, ...]) -> None:
    """Raise InvalidRequest for a role that no part of the composition has."""
    there = sorted({part.role for part in composition.score.parts})
    missing = [role for role in roles if role not in there]
    if missing:
        problem = f"the composition has no part with the role {missing[0]!r}; it has {', '.join(there)}"
        raise InvalidRequest("keep_stems", problem)


def with_stems(
    audio: Audio, guide: Audio, composition: Composition, roles: tuple[str, ...], cancelled: CancelCheck
) -> Audio:
    """Add the composer's own stems of these roles, as loud beside the rest as they are in the composer's mix."""
    names = {part.name for part in composition.score.parts if part.role in roles}
    whole, kept = Spool(2), Spool(2)
    for name, stem in composition.stems(cancelled=cancelled):
        _add(whole, stem)
        if name in names:
            _add(kept, stem)
    # Stems come before mastering, so the gain of the master is that of the whole.
    mastering = loudness_of(guide) - loudness_of(Audio(whole, guide.sample_rate))
    stems = resample(gain(Audio(kept, guide.sample_rate), mastering), audio.sample_rate)
    level = loudness_of(guide) - loudness_of(audio)
    length = min(stems.num_samples, audio.num_samples)
    # A silent sound has no level to bring to that of the guide.
    scaled = gain(audio, level) if np.isfinite(level) else audio
    samples = scaled.samples.copy()
    mixed = stems.samples if audio.channels == 2 else stems.samples.mean(axis=0, keepdims=True)
    samples[:, :length] += mixed[:, :length]
    return audio.with_samples(samples)


def _add(spool: Spool, audio: Audio) -> None:
    at = 0
    for block in audio.blocks():
        spool.add(at, block)
        at += block.shape[1]
