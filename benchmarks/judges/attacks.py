"""How notes start and end in a mix: onsets, the rise of each attack, the decay after it, and how alike onsets are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from judges.excerpt import HALF_RATE, MEL_HOP, ONSET_HOP, Excerpt, Floats, Matrix, band_pass, centred_mean, decibels

HIGH_HZ, MIDDLE_HZ = (2000.0, 8000.0), (500.0, 4000.0)
RISE_STEP, RISE_LENGTH = 55, 110  # samples at HALF_RATE: 2.5 and 5 ms
DECAY_STEP, DECAY_LENGTH = 110, 441
DECAY_FRAMES = 28  # after the loudest of the first 12
PATCH_FRAMES = 8  # of the mel spectrogram, about 190 ms
FEWEST = 8  # onsets whose likeness says anything


def attacks(excerpt: Excerpt) -> dict[str, float]:
    """Return the descriptors of onsets.

    ``onset_mean``, ``onset_p95``, ``onset_peakiness``: strength of the onset curve; ``onsets_s`` a second, ``onset_cv``
    the variation of their strength; ``attack_…`` the rise within 10 ms in dB; ``decay_dbps`` the fall after an onset
    in dB a second; ``onset_nn_rmsdb``, ``onset_mean_rmsdb`` how an onset differs from the one most like it and from
    all, ``nn_ratio`` their ratio: repeated samples sound alike. Left out where there are too few onsets.
    """
    strength, onsets = excerpt.onset_strength, excerpt.onsets
    sound = excerpt.half_rate.astype(np.float64)
    all_rises, high_rises = rises(sound, onsets), rises(band_pass(sound, HIGH_HZ, HALF_RATE), onsets)
    return {
        "onset_mean": float(strength.mean()),
        "onset_p95": float(np.percentile(strength, 95)),
        "onset_peakiness": float(np.percentile(strength, 98) / (strength.mean() + 1e-9)),
        "onsets_s": len(onsets) / (len(sound) / HALF_RATE),
        "onset_cv": float(strength[onsets].std() / strength[onsets].mean()) if len(onsets) > 2 else 0.0,
        "attack_db10ms": float(np.median(all_rises)) if all_rises else 0.0,
        "attack_p90": float(np.percentile(all_rises, 90)) if all_rises else 0.0,
        "attack_hi_db10ms": float(np.median(high_rises)) if high_rises else 0.0,
        "decay_dbps": decay(sound, onsets),
        **likeness(excerpt.log_mel, onsets),
    }


def rises(sound: Floats, onsets: npt.NDArray[np.int64]) -> list[float]:
    """Return how many dB the level rises within 10 ms at each onset, at most."""
    level = 20 * np.log10(np.sqrt(centred_mean(sound**2, RISE_LENGTH))[::RISE_STEP] + 1e-4)
    found = []
    for onset in onsets:
        frame = int(onset) * ONSET_HOP // RISE_STEP
        near = level[max(0, frame - 12) : frame + 24]
        if len(near) > 20:
            found.append(float(np.max(near[4:] - near[:-4])))
    return found


def decay(sound: Floats, onsets: npt.NDArray[np.int64]) -> float:
    """Return the median slope of the level from 500 to 4000 Hz after an onset, in dB a second; 0 without onsets."""
    level = decibels(centred_mean(band_pass(sound, MIDDLE_HZ, HALF_RATE) ** 2, DECAY_LENGTH)[::DECAY_STEP], 1e-9)
    time = np.arange(DECAY_FRAMES) * DECAY_STEP / HALF_RATE
    slopes = []
    for onset in onsets:
        near = level[int(onset) * ONSET_HOP // DECAY_STEP :][:40]
        if len(near) == 40:
            loudest = int(near[:12].argmax())
            slopes.append(np.polyfit(time, near[loudest : loudest + DECAY_FRAMES], 1)[0])
    return float(np.median(slopes)) if slopes else 0.0


def likeness(log_mel: Matrix, onsets: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return how much the onsets' first 190 ms differ, root mean square in dB."""
    starts = onsets * ONSET_HOP // MEL_HOP
    patches = [log_mel[:, at : at + PATCH_FRAMES].ravel() for at in starts if at + PATCH_FRAMES <= log_mel.shape[1]]
    if len(patches) <= FEWEST:
        return {}
    stack = np.array(patches, dtype=np.float64)
    squares = (stack**2).sum(axis=1)
    distances = np.sqrt(np.maximum(0, squares[:, None] + squares - 2 * stack @ stack.T) / stack.shape[1])
    others = ~np.eye(len(stack), dtype=bool)
    nearest = float(np.median(np.where(others, distances, np.inf).min(axis=1)))
    mean = float(distances[others].mean())
    return {"onset_nn_rmsdb": nearest, "onset_mean_rmsdb": mean, "nn_ratio": nearest / mean}
