"""The memory of a MusicGen model: keys and values count, and a batch takes half of what is left."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from stand_ins import TINY, install

from tunesmith.models.families.musicgen_resources import decoder_parameters, memory_needed, plan_batch, row_memory
from tunesmith.models.resource_checks import PROCESS_BYTES
from tunesmith.models.store import Store
from tunesmith.musicgen.architecture import Architecture, ChromaShape, TransformerShape
from tunesmith.neural.t5 import T5Shape

SMALL = dataclasses.replace(
    TINY,
    decoder=TransformerShape(1024, 24, 16, 4096, num_codebooks=4),
    text_encoder=T5Shape(768, 12, 12, 64, 3072, vocabulary_size=32128),
)
MELODY = dataclasses.replace(SMALL, decoder=TransformerShape(1536, 48, 24, 6144, num_codebooks=4), chroma=ChromaShape())


@pytest.mark.parametrize(("architecture", "millions"), [(SMALL, 420), (MELODY, 1387)])
def test_parameters_are_those_of_the_published_models(architecture: Architecture, millions: float) -> None:
    assert decoder_parameters(architecture) / 1e6 == pytest.approx(millions, rel=0.005)


def test_keys_and_values_are_what_memory_is_needed_for(tmp_path: Path) -> None:
    manifest = install(Store(tmp_path), "mine", b"x" * 1000).manifest
    a_row = memory_needed(manifest, SMALL) - PROCESS_BYTES - max(file.bytes for file in manifest.files)
    assert a_row / 2 == pytest.approx(295e6, rel=0.01)  # one row of musicgen-small at 30 s
    longer = dataclasses.replace(SMALL, window_seconds=60.0)
    assert memory_needed(manifest, longer) - memory_needed(manifest, SMALL) == pytest.approx(a_row, rel=0.01)


def test_a_batch_gets_half_of_the_memory_that_the_model_leaves_and_never_less_than_one_guided_piece_takes(
    tmp_path: Path,
) -> None:
    manifest = install(Store(tmp_path), "mine").manifest
    needed, a_row = memory_needed(manifest, SMALL), row_memory(SMALL)
    assert plan_batch(manifest, SMALL, 16, needed).num_rows == 2
    rows = [plan_batch(manifest, SMALL, 16, needed + 2 * more * a_row + 2 * manifest.bytes) for more in (1, 2, 5, 99)]
    assert [plan.num_rows for plan in rows] == [2, 4, 6, 16]
    assert all(plan.keep_text_encoder for plan in rows)
    assert not plan_batch(manifest, SMALL, 16, needed - 1).keep_text_encoder
