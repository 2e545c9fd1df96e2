"""The picture of a sound: what is loud is bright, and silence is dark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tunesmith.audio import Audio
from tunesmith.audio.spectrogram_plot import draw
from tunesmith.errors import InvalidRequest

RATE = 44_100


def spectrogram(samples: NDArray[np.float64], path: Path) -> NDArray[np.float32]:
    """Draw a sound and return the brightness of the lower half of the picture, without its edges."""
    image = pytest.importorskip("matplotlib.image")
    draw(Audio(samples[None].astype(np.float32), RATE), path)
    pixels = np.asarray(image.imread(path))[..., :3].mean(axis=2)
    height, width = pixels.shape
    return np.asarray(pixels[height * 2 // 5 : height * 8 // 9, width // 9 : width * 19 // 20], np.float32)


@pytest.mark.parametrize("size", [1, 5 * RATE])
def test_silence_is_dark(tmp_path: Path, size: int) -> None:
    assert spectrogram(np.zeros(size), tmp_path / "a.png").max() < 0.1


def test_a_tone_is_a_bright_line_at_any_level(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)
    for number, gain in enumerate((0.5, 0.01)):
        bright = spectrogram(tone * gain, tmp_path / f"{number}.png").mean(axis=1)
        assert bright.max() > 0.8
        assert (bright > 0.5).mean() < 0.2


def test_a_name_that_is_no_picture_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"plot: must end in .png, got 'a.jpg'"):
        draw(Audio(np.zeros((1, 9), np.float32), RATE), tmp_path / "a.jpg")
