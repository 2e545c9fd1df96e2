"""Plot of a sound: its waveform above its spectrogram. Needs matplotlib, which is an extra."""

from __future__ import annotations

import importlib.util
import itertools
import math
from pathlib import Path

import numpy as np

from tunesmith.audio.buffer import Audio
from tunesmith.errors import InvalidRequest
from tunesmith.extras import install_command
from tunesmith.files import atomic_output

COLUMNS, ROWS = 1200, 400
FRAME = 4096
LOWEST_HZ, RANGE_DB = 30.0, 80.0
LEAST_DB = 20 * math.log10(FRAME / 4) - 60.0
"""The lowest top of the colour scale, in dB: the level of a tone 60 dB below full scale."""


def check_drawable(path: Path, field_name: str = "plot") -> None:
    """Raise InvalidRequest if matplotlib is not installed or the name does not end in .png."""
    if path.suffix.lower() != ".png":
        raise InvalidRequest(field_name, f"must end in .png, got {path.name!r}")
    if importlib.util.find_spec("matplotlib") is None:
        raise InvalidRequest(field_name, f"needs matplotlib: {install_command('plot')}")


def draw(audio: Audio, path: Path, title: str = "") -> Path:
    """Write the plot as a PNG and return its path; raise InvalidRequest as ``check_drawable`` does."""
    check_drawable(path)
    # Agg draws without a display, and outside pyplot no figure outlives the call.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, NullFormatter

    lows, highs = envelope_of(audio)
    times = np.linspace(0, audio.duration, lows.size)
    figure = Figure(figsize=(12, 6), layout="constrained")
    FigureCanvasAgg(figure)
    wave, tones = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    wave.fill_between(times, lows, highs, linewidth=0.5)
    wave.axhline(0, linewidth=0.5)
    wave.set(ylim=(-1, 1), ylabel="amplitude")
    # A file name may hold surrogates, which no font has, and dollar signs, which are no formula.
    wave.set_title(title.encode(errors="replace").decode(), parse_math=False)
    frequencies, levels = _spectrogram(audio)
    # Silence must be drawn dark, not with its own noise as the brightest.
    loudest = max(float(levels.max()), LEAST_DB)
    tones.pcolormesh(
        np.linspace(0, audio.duration, levels.shape[1]), frequencies, levels,
        vmin=loudest - RANGE_DB, vmax=loudest, shading="nearest", cmap="magma", rasterized=True,
    )  # fmt: skip
    tones.set(yscale="log", ylim=(LOWEST_HZ, audio.sample_rate / 2), xlabel="seconds", ylabel="Hz")
    tones.yaxis.set_major_formatter(EngFormatter(sep=""))
    tones.yaxis.set_minor_formatter(NullFormatter())
    with atomic_output(path) as temporary:
        figure.savefig(temporary, format="png")
    return path


def envelope_of(audio: Audio) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], ...]:
    """Return the lowest and the highest sample in each of at most COLUMNS stretches of a sound."""
    edges = np.linspace(0, audio.num_samples, min(COLUMNS, audio.num_samples) + 1).astype(int)
    parts = [audio.between(first, last) for first, last in itertools.pairwise(edges)]
    return np.array([part.min() for part in parts]), np.array([part.max() for part in parts])


def _spectrogram(
    audio: Audio,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """Return the frequencies in Hz, (ROWS,), and the levels in dB, (ROWS, COLUMNS)."""
    window = np.hanning(FRAME).astype(np.float32)
    middles = np.linspace(0, audio.num_samples, COLUMNS).astype(int)
    frames = np.stack([audio.between(at - FRAME // 2, at + FRAME // 2).mean(axis=0) * window for at in middles])
    levels = 20 * np.log10(np.abs(np.fft.rfft(frames, axis=1)).T + 1e-6)
    wanted = np.geomspace(LOWEST_HZ, audio.sample_rate / 2, ROWS)
    bins = np.clip(np.round(wanted * FRAME / audio.sample_rate).astype(int), 1, FRAME // 2)
    return wanted, levels[bins].astype(np.float32)
