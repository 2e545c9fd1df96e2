"""The language model against what the reference computed, frame by frame, and its rows against each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from magenta_models import reference, tiny_architecture, tiny_weights
from numpy.typing import NDArray

from tunesmith.magenta_rt.architecture import RESERVED_IDS, MagentaArchitecture
from tunesmith.magenta_rt.graph.names import DEPTH_ADAPTER
from tunesmith.magenta_rt.networks import START, LanguageModel
from tunesmith.neural.sampling import Codes
from tunesmith.neural.sessions import SessionOptions

ONE_THREAD = SessionOptions(num_threads=1, spinning=False)
ARCHITECTURE = tiny_architecture()


def codes_of(ids: NDArray[np.int64]) -> Codes:
    """Return codes (…, levels) of global ids."""
    return (ids - RESERVED_IDS) % ARCHITECTURE.codebook_size


def capped(name: str) -> NDArray[np.float32]:
    """Return the reference's logits (frames, rows, levels, codebook size) after the cap."""
    whole = reference(name)["logits"]
    logits = whole.reshape(*whole.shape[:3], -1)
    size = ARCHITECTURE.codebook_size
    starts = RESERVED_IDS + size * np.arange(ARCHITECTURE.num_codebooks)
    columns = starts[:, None] + np.arange(size)
    own = np.take_along_axis(logits, np.broadcast_to(columns, (*logits.shape[:3], size)), axis=3)
    return 30 * np.tanh(own / 30)


def run(
    folder: Path, architecture: MagentaArchitecture, sources: NDArray[np.float32], given: Codes
) -> NDArray[np.float32]:
    """Return the logits (frames, rows, levels, size) of sources (frames, rows, width), given the codes."""
    frames, rows = sources.shape[:2]
    model = LanguageModel(folder, architecture, num_rows=rows, options=ONE_THREAD)
    for row in range(rows):
        model.open_row(row)
    found = []
    previous = np.full((rows, architecture.num_codebooks), START)
    for frame in range(frames):
        model.start_frame(previous, sources[frame], np.ones(rows, np.bool_))
        previous = np.broadcast_to(given[frame], previous.shape)
        found.append([
            model.logits(level, None if level == 0 else previous[:, level - 1]).copy()
            for level in range(architecture.num_codebooks)
        ])  # fmt: skip
    return np.asarray(found, np.float32).swapaxes(1, 2)


def test_logits_are_those_of_the_reference_beyond_the_window_and_greedy_codes_are_equal(tiny_model: Path) -> None:
    expected, codes = capped("stream"), codes_of(reference("stream")["codes"])[:, 0, 0]
    sources = reference("encoder")["source"][0][:, None]
    found = run(tiny_model, ARCHITECTURE, sources, codes)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    assert (found.argmax(axis=3)[:, 0] == codes).all()


def test_a_window_of_one_frame_more_is_another_model(tiny_model: Path) -> None:
    expected, codes = capped("stream"), codes_of(reference("stream")["codes"])[:, 0, 0]
    sources = reference("encoder")["source"][0][:, None]
    longer = replace(ARCHITECTURE, window_frames=ARCHITECTURE.window_frames + 1)
    errors = np.abs(run(tiny_model, longer, sources, codes) - expected).max(axis=(1, 2, 3))
    # The first frame that the window leaves out is seen 6 frames later.
    assert errors[:6].max() < 1e-4
    assert errors[6:].max() > 1e-2


@pytest.mark.parametrize("rows", [2, 3, 8])
def test_a_row_has_the_same_bits_alone_and_in_a_batch(quantized_model: Path, rows: int) -> None:
    sources = reference("encoder")["source"][0][:, None]
    others = np.random.default_rng(5).normal(size=(len(sources), rows - 1, sources.shape[2])).astype(np.float32)
    codes = codes_of(reference("stream")["codes"])[:, 0, 0]
    alone = run(quantized_model, ARCHITECTURE, sources, codes)
    together = run(quantized_model, ARCHITECTURE, np.concatenate([others, sources], axis=1), codes)
    assert together[:, -1].tobytes() == alone[:, 0].tobytes()


def test_a_row_that_does_not_advance_stays_as_it_is(tiny_model: Path) -> None:
    sources = reference("encoder")["source"][0]
    model = LanguageModel(tiny_model, ARCHITECTURE, num_rows=2, options=ONE_THREAD)
    model.open_row(0)
    model.open_row(1)
    first = np.full((2, ARCHITECTURE.num_codebooks), START)
    model.start_frame(first, sources[[0, 0]], np.array([True, True]))
    for pause in range(8):
        model.start_frame(first, sources[[1 + pause, 3]], np.array([True, False]))
    model.start_frame(first[:1] * 0, sources[[5]], np.array([True]))
    model.copy_row(1, 0)
    model.start_frame(first[:1] * 0, sources[[1]], np.array([True]))
    resumed = model.logits(0, None).copy()
    model.open_row(0)
    model.start_frame(first[:1], sources[[0]], np.array([True]))
    model.start_frame(first[:1] * 0, sources[[1]], np.array([True]))
    assert resumed.tobytes() == model.logits(0, None).tobytes()


def test_the_input_of_the_depth_transformer_is_the_adapted_state_of_the_reference(tiny_model: Path) -> None:
    states = reference("stream")["temporal"][0, 0, 0]
    model = LanguageModel(tiny_model, ARCHITECTURE, options=ONE_THREAD)
    model.open_row(0)
    sources = reference("encoder")["source"][0][:1]
    model.start_frame(np.full((1, ARCHITECTURE.num_codebooks), START), sources, np.ones(1, np.bool_))
    expected = states @ tiny_weights()[DEPTH_ADAPTER]
    assert np.abs(model.depth_input(1)[0] - expected).max() < 1e-5 * np.abs(expected).max()
