"""Composed and performed by a tiny random Magenta RealTime: every stage is real but the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from magenta_checkpoint import write_magenta_tree
from magenta_vectors import has_magenta_vectors

from tunesmith.audio import Audio
from tunesmith.errors import InvalidRequest
from tunesmith.generator import NoteSheet, never_cancelled, no_progress
from tunesmith.magenta_rt.checkpoint.checkpoint import open_checkpoint
from tunesmith.magenta_rt.conversion import convert
from tunesmith.magenta_rt.generator import MagentaGenerator
from tunesmith.magenta_rt.open_model import MagentaModel, open_model
from tunesmith.neural.sessions import SessionOptions
from tunesmith.performed.performed_run import performance_seeds
from tunesmith.request import GenerationRequest
from tunesmith.run_generator import run_generator

pytestmark = has_magenta_vectors
MODEL = "magenta-rt2-small"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MagentaGenerator:
    folder = tmp_path_factory.mktemp("model")
    convert(open_checkpoint(write_magenta_tree(tmp_path_factory.mktemp("tree"))), folder, "int8", lambda _: None)

    def factory(path: Path, rows: int) -> MagentaModel:
        return open_model(path, rows, SessionOptions(num_threads=1, spinning=False))

    return MagentaGenerator(folder, name=MODEL, licence="cc-by-4.0", digest="d", model_factory=factory)


def run(model: MagentaGenerator, **fields: Any) -> Audio:
    wanted = {"prompt": "lofi, 93 bpm", "seed": 3, "model": MODEL, "perform": True, "duration": 1.0, **fields}
    return run_generator(model, GenerationRequest.checked(**wanted), no_progress, never_cancelled)


@pytest.fixture(scope="module")
def performed(model: MagentaGenerator) -> Audio:
    return run(model, performances=2)


def test_a_piece_is_exactly_as_long_as_composed_and_measured(performed: Audio) -> None:
    assert (performed.num_samples, performed.channels) == (44_100, 2)
    settings = performed.metadata["settings"]
    assert [one["seed"] for one in settings["performances"]] == list(performance_seeds(3, 2))
    assert 0 <= settings["pitch_class_recall"] <= 1
    assert 0 <= settings["onset_recall"] <= 1
    # Random weights play nothing of the notes, and that is said.
    assert any(warning.startswith("performances: the best has") for warning in performed.metadata["warnings"])
    assert (performed.metadata["model"], performed.metadata["licence"]) == (MODEL, "cc-by-4.0")


def test_a_performance_is_the_same_alone_and_beside_others(model: MagentaGenerator) -> None:
    request = GenerationRequest.checked(prompt="calm", model=MODEL, seed=3)
    seeds = performance_seeds(3, 3)
    together = model.perform(request, NoteSheet((), 1.0), seeds, no_progress, never_cancelled)
    alone = model.perform(request, NoteSheet((), 1.0), seeds[1:2], no_progress, never_cancelled)
    assert alone[0].samples.tobytes() == together[1].samples.tobytes()
    assert together[0].samples.tobytes() != together[1].samples.tobytes()


def test_the_same_request_gives_the_same_bytes_and_other_notes_another_sound(
    model: MagentaGenerator, performed: Audio
) -> None:
    assert run(model, performances=2).samples.tobytes() == performed.samples.tobytes()
    assert run(model, performances=2, accompany=True).samples.tobytes() != performed.samples.tobytes()


def test_a_loop_is_as_long_as_its_bars(model: MagentaGenerator) -> None:
    loop = run(model, loop=True, duration=None, bars=1, performances=1, snap_tempo=True)
    assert loop.metadata["settings"]["tempo_bpm"] == 93.75
    assert loop.num_samples == round(4 * 60 / 93.75 * 44_100)


def test_a_field_that_the_model_does_not_have_is_refused(model: MagentaGenerator) -> None:
    with pytest.raises(InvalidRequest, match="steps: only Stable Audio models"):
        run(model, steps=8)
