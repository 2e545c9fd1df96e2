"""Recorded drum hits that come with the package (sounds/drums, CC0)."""

from __future__ import annotations

import functools
import io
from importlib import resources

import numpy as np

from tunesmith.audio.buffer import Samples

FOLDER = "sounds/drums"


@functools.cache
def recording(name: str) -> Samples:
    """Return the hit, (2, samples) at SAMPLE_RATE, peak 1; read-only."""
    # Imported here: kits without recordings need no decoder.
    import soundfile

    file = resources.files("tunesmith.composer") / FOLDER / f"{name}.flac"
    frames, _ = soundfile.read(io.BytesIO(file.read_bytes()), dtype="float32", always_2d=True)
    sound = np.ascontiguousarray(np.broadcast_to(frames.T, (2, frames.shape[0])))
    sound.flags.writeable = False
    return sound
