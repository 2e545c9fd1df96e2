"""Stable Audio on torch, on the CPU: the reference's recordings in float32, and how far bfloat16 is off them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from lazy_modules import LazyModule
from reference_vectors import facts, relative_error, rows, vectors
from stable_audio_models import tiny_checkpoint
from stable_audio_open_models import tiny_open_checkpoint

from tunesmith.errors import ModelFileError
from tunesmith.generator import never_cancelled, no_progress
from tunesmith.request import GenerationRequest
from tunesmith.stable_audio import fourier_features
from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.engine import DiffusionEngine
from tunesmith.stable_audio.generator import StableAudioGenerator
from tunesmith.stable_audio.model_folder import GPU_WEIGHTS

if TYPE_CHECKING:
    import torch

    from tunesmith.stable_audio import torch_runner
else:
    torch = LazyModule("torch")
    torch_runner = LazyModule("tunesmith.stable_audio.torch_runner")

Array = npt.NDArray[np.float32]
MODELS = ("sa3_small", "sao_small", "sao_1_0")
EXACT, BFLOAT16 = 1e-4, 0.02


def checkpoint_of(name: str) -> StableAudioCheckpoint:
    return tiny_checkpoint() if name == "sa3_small" else tiny_open_checkpoint(name)


def on_torch(name: str, dtype: torch.dtype | None = None) -> torch_runner.TorchNetworks:
    checkpoint = checkpoint_of(name)
    return torch_runner.TorchNetworks(
        checkpoint.architecture, checkpoint.weights, checkpoint.tokenizer.path, "cpu", dtype=dtype
    )


@pytest.fixture(autouse=True)
def reference_frequencies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the reference's own table of frequencies, which leaves only the rounding of the networks."""
    monkeypatch.setattr(fourier_features, "frequencies", lambda: vectors("sa3_small/seconds")["frequencies"])


def velocity(networks: torch_runner.TorchNetworks, name: str) -> tuple[Array, Array]:
    """Return the velocity of the recorded step, and the reference's."""
    file, text = vectors(f"{name}/dit"), vectors(f"{name}/text")
    asked = facts(f"{name}/dit")
    real = text["mask"][0] == 1
    numbers = asked.get("conditioning") or {"seconds_total": asked["seconds_total"]}
    states = networks.encode_text(text["token_ids"][0][real].tolist())
    conditioning = networks.condition(states, {one.name: numbers[one.name] for one in networks.architecture.numbers})
    found = networks.velocities(rows(file["x"])[None], 0.83, [conditioning], [None])[0]
    return found, rows(file["velocity"])


@pytest.mark.parametrize("name", MODELS)
def test_a_text_becomes_the_references_velocity(name: str) -> None:
    found, expected = velocity(on_torch(name), name)
    assert relative_error(found, expected) < EXACT


@pytest.mark.parametrize("name", MODELS)
def test_in_bfloat16_the_transformer_alone_is_rounded(name: str) -> None:
    networks = on_torch(name, torch.bfloat16)
    found, expected = velocity(networks, name)
    assert EXACT < relative_error(found, expected) < BFLOAT16
    latents = rows(vectors(f"{name}/autoencoder")["latents_60"])[:12]
    assert np.array_equal(networks.decode(latents), on_torch(name).decode(latents))


@pytest.mark.parametrize(("latents", "samples"), [(60, 645), (7, 96)])
def test_the_autoencoder_is_the_references(latents: int, samples: int) -> None:
    networks, file = on_torch("sa3_small"), vectors("sa3_small/autoencoder")
    decoded = networks.decode(rows(file[f"latents_{latents}"]))
    assert relative_error(decoded, file[f"audio_{latents}"][0][:, : decoded.shape[1]]) < EXACT
    sound, hop = file[f"wave_{samples}"][0], 2 * networks.architecture.hop_size
    padded = np.pad(sound, ((0, 0), (0, -sound.shape[1] % hop)))
    assert relative_error(networks.encode(padded), rows(file[f"encoded_{samples}"])) < EXACT


def test_rows_agree_with_each_alone() -> None:
    networks = on_torch("sa3_small")
    latents = np.random.default_rng(3).standard_normal((2, 11, 8)).astype(np.float32)
    conditionings = [networks.condition(networks.encode_text(ids), 4.0) for ids in ((5, 6), (7, 8, 9))]
    kept = networks.local_condition(np.eye(11, dtype=np.float32)[3], np.zeros((11, 8), np.float32))
    together = networks.velocities(latents, 0.4, conditionings, [None, kept])
    for row, local in enumerate((None, kept)):
        alone = networks.velocities(latents[row : row + 1], 0.4, [conditionings[row]], [local])[0]
        np.testing.assert_allclose(together[row], alone, atol=2e-5)


def test_a_model_for_a_gpu_has_weights_in_place_of_graphs_and_makes_music(tmp_path: Path) -> None:
    convert(checkpoint_of("sa3_small"), tmp_path, "float16", lambda _: None)
    assert {path.name for path in tmp_path.iterdir()} == {GPU_WEIGHTS, "tokenizer.json", "architecture.json"}
    made = []
    for seed in (1, 1, 2):
        generator = StableAudioGenerator(
            tmp_path,
            name="mine",
            licence="mit",
            digest="",
            open_networks=partial(torch_runner.TorchNetworks.open, device="cpu"),
        )
        request = GenerationRequest.checked(prompt="piano", model="mine", seed=seed, duration=2)
        made.append(generator.generate(request, no_progress, never_cancelled).samples)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    (tmp_path / GPU_WEIGHTS).unlink()
    with pytest.raises(ModelFileError, match=r"weights\.safetensors: is missing"):
        DiffusionEngine(torch_runner.TorchNetworks.open(tmp_path, "cpu"))
