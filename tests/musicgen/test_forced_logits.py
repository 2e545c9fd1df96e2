"""Forced logits: one run of all prompts has the logits that the runner has for each alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from musicgen_models import random_checkpoint
from shapes import ONE_THREAD, TINY, TINY_MELODY

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.chroma import silent_chroma
from tunesmith.musicgen.conditioning import join_prefix
from tunesmith.musicgen.conversion import convert
from tunesmith.musicgen.forced_logits import ForcedRows
from tunesmith.musicgen.onnx.onnx_runner import OnnxRunner


@pytest.mark.parametrize("architecture", [TINY, TINY_MELODY], ids=["text", "melody"])
def test_all_rows_in_one_run_have_the_logits_of_the_runner(architecture: Architecture, tmp_path: Path) -> None:
    convert(random_checkpoint(tmp_path, architecture), tmp_path / "model", "none", lambda _: None)
    runner = OnnxRunner(tmp_path / "model", architecture, options=ONE_THREAD)
    texts = tuple(runner.encode_text(range(3, stop)).copy() for stop in (8, 20))
    codes = np.random.default_rng(1).integers(0, 65, (2, 4, 9))
    found, observed = ForcedRows(tmp_path / "model", architecture, texts, codes).logits(tmp_path / "model", ONE_THREAD)
    assert not observed
    for row in range(2):
        runner.open_row(row, texts[row] if architecture.chroma is None else None, 300)
        if architecture.chroma is not None:
            chroma = runner.encode_chroma(silent_chroma(architecture.chroma))
            runner.extend_prefix(row, join_prefix(chroma, texts[row], len(texts[1])))
        np.testing.assert_allclose(found[row], runner.extend(row, codes[row]), atol=1e-4)
