"""Audio editing: trim, gain, fade, loop, mono. Every function returns a new Audio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import BLOCK, Audio
from tunesmith.audio.markers import whole_loop
from tunesmith.audio.retiming import Stretches, keep_loops_between, looping, retimed
from tunesmith.audio.spool import Samples, Spool
from tunesmith.errors import InvalidRequest

FadeShape = Literal["linear", "equal_power", "smooth"]
Curve = npt.NDArray[np.float32]


def fade_curve(num_samples: int, shape: FadeShape = "equal_power") -> Curve:
    """Return a fade-in curve from 0 to 1, (num_samples,).

    With its reverse, ``linear`` and ``smooth`` sum to 1 in amplitude, ``equal_power`` in power.
    """
    # Half a sample off the ends, so that the curve and its reverse mirror each other exactly.
    at = (np.arange(num_samples) + 0.5) / max(1, num_samples)
    shapes = {"linear": at, "equal_power": np.sin(at * np.pi / 2), "smooth": 0.5 - 0.5 * np.cos(at * np.pi)}
    return np.asarray(shapes[shape], dtype=np.float32)


def trim(audio: Audio, start: float = 0.0, end: float | None = None) -> Audio:
    """Keep the range from ``start`` to ``end`` in seconds; raise InvalidRequest if nothing would be left."""
    first = round(start * audio.sample_rate)
    last = audio.num_samples if end is None else min(round(end * audio.sample_rate), audio.num_samples)
    if not 0 <= first < last:
        kept = f"{start:g} s to " + ("its end" if end is None else f"{end:g} s")
        raise InvalidRequest("trim", f"must keep a part of {audio.duration:g} s, got {kept}")
    spool = Spool(audio.channels)
    _append(spool, audio, first, last)
    return audio.with_samples(spool, metadata=retimed(audio, [(first, last)]))


def fade(audio: Audio, fade_in: float = 0.0, fade_out: float = 0.0, shape: FadeShape = "smooth") -> Audio:
    """Fade in and out over these durations in seconds; raise InvalidRequest if one is negative or infinite."""
    rise = fade_curve(min(_samples_of("fade_in", fade_in, audio), audio.num_samples), shape)
    fall = fade_curve(min(_samples_of("fade_out", fade_out, audio), audio.num_samples), shape)[::-1]
    falling = audio.num_samples - fall.size
    spool = Spool(audio.channels)
    for block in audio.blocks():
        at, faded = len(spool), block.copy()
        curve = rise[at : at + faded.shape[1]]
        faded[:, : curve.size] *= curve
        # The index in this block at which the fade-out begins.
        into = max(0, falling - at)
        faded[:, into:] *= fall[max(0, at - falling) :][: max(0, faded.shape[1] - into)]
        spool.append(faded)
    return keep_loops_between(audio.with_samples(spool), rise.size, falling)


def loop(audio: Audio, overlap: float = 0.5, shape: FadeShape = "equal_power") -> Audio:
    """Make any sound a seamless loop, ``overlap`` seconds shorter, by a crossfade of its end into its start.

    The last sample of the result is followed by its first in the original too, so the seam is no larger than any other
    step. Raises InvalidRequest for an overlap of 0 or of more than half the sound.
    """
    size = _samples_of("loop", overlap, audio)
    if not 0 < size <= audio.num_samples // 2:
        raise InvalidRequest(
            "loop", f"the overlap must be above 0 and at most {audio.duration / 2:g} s, got {overlap:g} s"
        )
    end, rise = audio.num_samples - size, fade_curve(size, shape)
    # Start at exactly 0, so that the first sample is the original's alone.
    rise = rise - rise[0]
    # The shifted curve and its reverse no longer sum to one, so compute the complement.
    fall = np.sqrt(1 - rise**2) if shape == "equal_power" else 1 - rise
    spool = Spool(audio.channels)
    spool.append(audio.between(end, audio.num_samples) * fall + audio.between(0, size) * rise)
    _append(spool, audio, size, end)
    return audio.with_samples(spool, metadata=loop_metadata(audio, [(0, len(spool))]))


def gain(audio: Audio, gain_db: float) -> Audio:
    """Apply a gain in dB; long sounds stay on disk."""
    # An explicit float32: a float64 scalar of NumPy would promote the blocks.
    factor = np.float32(10 ** (gain_db / 20))
    return _mapped(audio, audio.channels, lambda block: block * factor)


def to_mono(audio: Audio) -> Audio:
    """Return the mean of the channels as one channel."""
    if audio.channels == 1:
        return audio
    return _mapped(audio, 1, lambda block: block.mean(axis=0, keepdims=True, dtype=np.float32))


def with_channels(audio: Audio, channels: int) -> Audio:
    """Return the sound with this channel count: unchanged if it has it, else the mean of its channels in each."""
    if audio.channels == channels:
        return audio
    return _mapped(
        audio, channels, lambda block: np.repeat(block.mean(axis=0, keepdims=True, dtype=np.float32), channels, axis=0)
    )


def loop_metadata(audio: Audio, stretches: Stretches) -> dict[str, Any]:
    """Return the metadata of a loop made of these stretches of a sound."""
    length = sum(last - first for first, last in stretches)
    return looping(retimed(audio, stretches), whole_loop(length, audio.sample_rate))


def _append(spool: Spool, audio: Audio, first: int, last: int) -> None:
    for at in range(first, last, BLOCK):
        spool.append(audio.between(at, min(at + BLOCK, last)))


def _mapped(audio: Audio, channels: int, change: Callable[[Samples], Samples]) -> Audio:
    spool = Spool(channels)
    for block in audio.blocks():
        spool.append(change(block))
    return audio.with_samples(spool)


def _samples_of(field: str, seconds: float, audio: Audio) -> int:
    if not 0 <= seconds < np.inf:
        raise InvalidRequest(field, f"must be 0 s or more, got {seconds:g} s")
    return round(seconds * audio.sample_rate)
