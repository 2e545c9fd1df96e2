"""The codec against what the reference decoded, in chunks of any length."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from magenta_models import reference, tiny_architecture

from tunesmith.magenta_rt.architecture import RESERVED_IDS
from tunesmith.magenta_rt.codec_stream import FULL_SCALE, SpectroStreamDecoder, synthesis_window
from tunesmith.neural.sampling import Codes
from tunesmith.neural.sessions import SessionOptions

ARCHITECTURE = tiny_architecture()


@pytest.fixture(scope="module")
def decoder(tiny_model: Path) -> SpectroStreamDecoder:
    return SpectroStreamDecoder(tiny_model, ARCHITECTURE, SessionOptions(num_threads=1, spinning=False))


@pytest.mark.parametrize("chunks", [(9,), (1, 2, 3, 3), (1,) * 9, (4, 5)], ids=str)
def test_sound_is_that_of_the_reference_at_any_chunking(decoder: SpectroStreamDecoder, chunks: tuple[int, ...]) -> None:
    found = reference("codec")
    codes: Codes = found["codes"][0].T.astype(np.int64)
    stream, parts = decoder.stream(), np.cumsum([0, *chunks])
    sound = [stream.feed(codes[:, start:stop]) for start, stop in pairwise(parts)]
    assert [part.shape[1] for part in sound] == [1920 * (chunks[0] - 1), *(1920 * count for count in chunks[1:])]
    expected = found["audio"][0].T / FULL_SCALE
    assert np.abs(np.concatenate(sound, axis=1) - expected).max() < 1e-5 * np.abs(expected).max()


def test_a_stream_of_the_whole_model_has_the_samples_of_the_reference(decoder: SpectroStreamDecoder) -> None:
    found = reference("stream")
    codes = ((found["codes"][:, 0, 0] - RESERVED_IDS) % ARCHITECTURE.codebook_size).T
    sound = decoder.decode(codes)
    expected = found["audio"][1:].reshape(-1, 2).T
    assert np.abs(np.clip(sound, -1, 1) * 32_767.5 - expected).max() <= 1.01


def test_the_synthesis_window_undoes_the_analysis_window() -> None:
    size = 960
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    product = hann * synthesis_window(size)
    assert product[: size // 2] + product[size // 2 :] == pytest.approx(1, abs=1e-6)
