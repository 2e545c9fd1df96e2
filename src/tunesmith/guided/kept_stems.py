"""The composer's own stems laid over the model's sound, aligned to the sample, so that their grid is exact."""

from __future__ import annotations

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.edit import gain
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.resample import resample
from tunesmith.composed.stems import all_stems, parts_with_roles, summed_stems
from tunesmith.composer.composition import Composition
from tunesmith.generator import CancelCheck


def with_stems(
    audio: Audio, guide: Audio, composition: Composition, roles: tuple[str, ...], cancelled: CancelCheck
) -> Audio:
    """Add the composer's own stems of these roles, as loud beside the rest as they are in the composer's mix."""
    score = composition.score
    whole, kept = summed_stems(composition, all_stems(score), parts_with_roles(score, roles), cancelled=cancelled)
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
