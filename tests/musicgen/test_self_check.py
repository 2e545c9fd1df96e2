"""The self-check of a converted MusicGen: healthy layers keep their form, and a layer spoilt by outliers does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from musicgen_models import random_checkpoint
from shapes import TINY_MELODY

from tunesmith.errors import ModelFileError
from tunesmith.musicgen import self_check
from tunesmith.musicgen.checkpoint import Checkpoint
from tunesmith.musicgen.conversion import convert
from tunesmith.musicgen.model_folder import DECODER
from tunesmith.musicgen.self_check import LIMITS, LOGITS_SHARE, quantize_within_limit, repeat_check
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.neural.reference_results import REFERENCE_RESULTS

LAYER = "decoder.model.decoder.layers.1."
PARTS = ("weight", "bias")
NUM_LAYERS = 2 * 8 + 1
"""Query-key-value, output, query and output of cross-attention, its key and value, two of the feed-forward; heads."""


def checked(checkpoint: Checkpoint, folder: Path, quantization: str) -> QuantizationCheck:
    convert(checkpoint, folder, quantization, lambda _: None)
    return quantize_within_limit(folder, checkpoint.architecture, checkpoint.weights, quantization, lambda _: None)


def with_outliers(checkpoint: Checkpoint, size: float) -> Checkpoint:
    """Return a checkpoint of the same function whose feed-forward has outliers in every block of the second layer.

    What a norm makes smaller, the next weight makes larger by as much.
    """
    factors = np.ones(checkpoint.architecture.decoder.hidden_size, np.float32)
    factors[::16] = size
    inverse = np.reciprocal(factors)
    changed = {f"{LAYER}fc1.weight": factors} | {f"{LAYER}final_layer_norm.{part}": inverse for part in PARTS}
    weights = {name: checkpoint.weights[name] * factor for name, factor in changed.items()}
    return replace(checkpoint, weights={**checkpoint.weights, **weights})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return random_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("quantization", LIMITS)
def test_a_healthy_checkpoint_keeps_its_form_and_its_bytes(tiny: Checkpoint, tmp_path: Path, quantization: str) -> None:
    result = checked(tiny, tmp_path / "checked", quantization)
    assert result.forms == {quantization: NUM_LAYERS}
    assert 0 < result.error <= result.limit * result.bfloat16_error < LIMITS[quantization] * 0.01
    assert result.limit == LOGITS_SHARE * LIMITS[quantization]
    assert str(result).count("\n") == 1
    convert(tiny, tmp_path / "plain", quantization, lambda _: None)
    for path in (tmp_path / "plain").iterdir():
        assert path.read_bytes() == (tmp_path / "checked" / path.name).read_bytes()


@pytest.mark.parametrize("quantization", ["int8", "int4"])
def test_a_layer_of_outliers_is_caught_and_kept_finer(tiny: Checkpoint, tmp_path: Path, quantization: str) -> None:
    broken = with_outliers(tiny, 1000.0)
    result = checked(broken, tmp_path / "model", quantization)
    assert result.forms == {quantization: NUM_LAYERS - 1, "float32": 1}
    assert result.is_within
    # Without the choice, the same check would see it.
    convert(broken, tmp_path / "unchosen", quantization, lambda _: None)
    (tmp_path / "unchosen" / REFERENCE_RESULTS).write_bytes((tmp_path / "model" / REFERENCE_RESULTS).read_bytes())
    assert not repeat_check(tmp_path / "unchosen", result).is_within


def test_layers_become_finer_until_the_logits_are_within_their_limit(
    tiny: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_check, "LOGITS_SHARE", 0.02)
    result = checked(tiny, tmp_path / "model", "int8")
    assert result.forms == {"float32": NUM_LAYERS}
    assert result.error <= 0.2 * result.bfloat16_error


def test_a_melody_model_is_checked_after_its_prefix(tmp_path: Path) -> None:
    result = checked(random_checkpoint(tmp_path, TINY_MELODY), tmp_path / "model", "int8")
    assert result.is_within
    assert result.forms == {"int8": 2 * 4 + 1}


def test_the_check_can_be_repeated_and_sees_a_damaged_weight(tiny: Checkpoint, tmp_path: Path) -> None:
    result = checked(tiny, tmp_path, "int8")
    assert repeat_check(tmp_path, result).error == pytest.approx(result.error, rel=0.05)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    data = tmp_path / f"{DECODER}.data"
    numbers = bytearray(data.read_bytes())
    numbers[: len(numbers) // 2] = bytes(len(numbers) // 2)
    data.write_bytes(numbers)
    again = repeat_check(tmp_path, result)
    assert not again.is_within
    assert "above 5 times bfloat16's own" in str(again)
    data.write_bytes(b"\xff" * len(numbers))
    with pytest.raises(ModelFileError, match="NaN or infinite"):
        repeat_check(tmp_path, result)


def test_a_model_whose_numbers_overflow_is_refused(tiny: Checkpoint, tmp_path: Path) -> None:
    name = f"{LAYER}fc2.weight"
    broken = replace(tiny, weights={**tiny.weights, name: np.full_like(tiny.weights[name], 1e38)})
    with pytest.raises(ModelFileError, match="not finite"):
        checked(broken, tmp_path / "model", "int8")


def test_a_model_without_reference_logits_cannot_be_checked_again(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=f"{REFERENCE_RESULTS}.*pull the model again"):
        repeat_check(tmp_path, QuantizationCheck(0.01, 0.01, {}))
