"""The self-check of a converted model: its error against float32, and the forms that keep it within bfloat16's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stable_audio_models import tiny_checkpoint
from stable_audio_open_models import tiny_open_checkpoint

from tunesmith.errors import ModelFileError
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.neural.reference_results import REFERENCE_RESULTS
from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.model_folder import TRANSFORMER
from tunesmith.stable_audio.self_check import quantize_within_bfloat16, repeat_check


def checked(checkpoint: StableAudioCheckpoint, folder: Path) -> QuantizationCheck:
    convert(checkpoint, folder, "int8", lambda _: None)
    return quantize_within_bfloat16(folder, checkpoint.architecture, checkpoint.weights, lambda _: None)


@pytest.mark.parametrize("name", ["sao_small", "sao_1_0"])
def test_stable_audio_open_is_checked_with_its_own_sampler(name: str, tmp_path: Path) -> None:
    result = checked(tiny_open_checkpoint(name), tmp_path / "model")
    assert 0 < result.error <= result.bfloat16_error < 0.1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, QuantizationCheck]:
    folder = tmp_path_factory.mktemp("checked") / "model"
    return folder, checked(tiny_checkpoint(), folder)


def test_the_model_stays_within_the_error_of_bfloat16(model: tuple[Path, QuantizationCheck]) -> None:
    result = model[1]
    assert 0 < result.error <= result.bfloat16_error < 0.05
    assert sum(result.forms.values()) == 2 * 6
    assert str(result).count("\n") == 1


def test_the_check_can_be_repeated_and_leaves_nothing_behind(model: tuple[Path, QuantizationCheck]) -> None:
    folder, result = model
    again = repeat_check(folder, result.forms)
    assert again.error == pytest.approx(result.error, rel=0.05)
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_a_damaged_weight_shows_in_the_repeated_check(model: tuple[Path, QuantizationCheck], tmp_path: Path) -> None:
    folder, result = model
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = tmp_path / f"{TRANSFORMER}.data"
    numbers = bytearray(data.read_bytes())
    numbers[: len(numbers) // 2] = bytes(len(numbers) // 2)
    data.write_bytes(numbers)
    assert repeat_check(tmp_path, result.forms).error > 3 * result.bfloat16_error


def test_a_model_whose_numbers_overflow_is_refused(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint()
    name = "diffusion.transformer.layers.1.ff_norm.gamma"
    broken = {**checkpoint.weights, name: np.full_like(checkpoint.weights[name], 1e38)}
    with pytest.raises(ModelFileError, match="NaN or infinite"):
        checked(replace(checkpoint, weights=broken), tmp_path / "model")


def test_a_model_without_reference_latents_cannot_be_checked_again(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=f"{REFERENCE_RESULTS}.*pull the model again"):
        repeat_check(tmp_path, {})
