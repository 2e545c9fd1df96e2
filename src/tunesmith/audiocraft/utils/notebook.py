"""Players in a notebook, as ``audiocraft.utils.notebook`` has them."""

from __future__ import annotations

from importlib import import_module

from tunesmith.audiocraft.arrays import Tensor, to_samples
from tunesmith.audiocraft.errors import ArgumentError


def display_audio(samples: Tensor, sample_rate: int) -> None:
    """Show a player for audio (channels, samples), or one for each item of a batch. Needs IPython."""
    # Only notebooks have IPython.
    display = import_module("IPython.display")

    audio = to_samples(samples, "samples")
    if audio.ndim not in (2, 3):
        raise ArgumentError("samples", f"must have the shape (batch, channels, samples), got {audio.shape}")
    for one in audio.reshape(-1, *audio.shape[-2:]):
        display.display(display.Audio(one, rate=sample_rate))
