"""Reference results read as they were written; a file that is missing, cut short or of another model says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tunesmith.errors import ModelFileError
from tunesmith.neural.reference_results import REFERENCE_RESULTS, read_reference_results, write_reference_results


def test_what_is_read_was_written(tmp_path: Path) -> None:
    codes = np.arange(6).reshape(2, 3)
    write_reference_results(tmp_path, codes=codes, bfloat16_error=0.25)
    error, read = read_reference_results(tmp_path, "bfloat16_error", "codes")
    assert (read == codes).all()
    assert error == 0.25


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_a_file_cut_short_is_refused(tmp_path: Path, size: int) -> None:
    write_reference_results(tmp_path, latents=np.ones(100, np.float32))
    path = tmp_path / REFERENCE_RESULTS
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelFileError, match="pull the model again"):
        read_reference_results(tmp_path, "latents")


def test_a_missing_file_or_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=REFERENCE_RESULTS):
        read_reference_results(tmp_path, "latents")
    write_reference_results(tmp_path, latents=np.ones(1))
    with pytest.raises(ModelFileError, match="logits"):
        read_reference_results(tmp_path, "logits")
