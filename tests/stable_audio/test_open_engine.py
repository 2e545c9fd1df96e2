"""Stable Audio Open from a prompt to samples with real networks, against what the reference made of the same noise."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import pytest
from reference_vectors import Array, facts, relative_error, rows, vectors
from shapes import ONE_THREAD
from stable_audio_open_models import OPEN_MODELS, tiny_open_checkpoint

from tunesmith.stable_audio import latent_writer
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.engine import DiffusionEngine, EngineCalls
from tunesmith.stable_audio.latent_writer import EncodedPrompts, LatentWriter, WalkSettings
from tunesmith.stable_audio.lengths import latent_lengths, samples_of
from tunesmith.stable_audio.networks import StableAudioNetworks
from tunesmith.stable_audio.noise import NoiseSource
from tunesmith.stable_audio.request_mapping import DiffusionRequest
from tunesmith.stable_audio.velocity_batch import VelocityBatch


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DiffusionEngine]:
    opened = {}
    for name in OPEN_MODELS:
        folder = tmp_path_factory.mktemp(name)
        convert(tiny_open_checkpoint(name), folder, "none", lambda _: None)
        opened[name] = DiffusionEngine(StableAudioNetworks(folder, ONE_THREAD))
    return opened


def recorded_noise(file: dict[str, Array]) -> Callable[..., NoiseSource]:
    noise = rows(file["noise"])
    steps = np.concatenate([rows(file["start"])[None], noise]) if "start" in file else noise
    return lambda *_: lambda step: np.asarray(steps[step])


@pytest.mark.parametrize(("model", "name"), [
    ("sao_small", "generate"), ("sao_small", "generate_guided"), ("sao_1_0", "generate_3m_sde"),
])  # fmt: skip
def test_a_prompt_becomes_the_references_samples(
    engines: dict[str, DiffusionEngine], monkeypatch: pytest.MonkeyPatch, model: str, name: str
) -> None:
    engine, file, settings = engines[model], vectors(f"{model}/{name}"), facts(f"{model}/{name}")
    monkeypatch.setattr(latent_writer, "noise_source", recorded_noise(file))
    asked = facts(f"{model}/dit")["conditioning"]
    request = DiffusionRequest(
        "text", engine.tokenizer.encode(asked["prompt"]).ids, None,
        WalkSettings(1, settings["steps"], settings["cfg_scale"]),
        samples_of(asked["seconds_total"], engine.architecture.sample_rate), 0.0,
    )  # fmt: skip
    calls = EngineCalls(lambda: None, lambda: False)
    samples = np.concatenate(list(engine.generate(request, calls)), axis=1)
    # The reference decodes all latents; ours those of the seconds asked for.
    expected = np.clip(file["audio"][0][:, : request.num_samples], -1, 1)
    assert samples.shape == expected.shape
    assert relative_error(samples, expected) < 1e-4


def test_audio_is_made_anew_as_by_the_reference(
    engines: dict[str, DiffusionEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks, file = engines["sao_small"].networks, vectors("sao_small/audio_to_audio")
    monkeypatch.setattr(latent_writer, "noise_source", recorded_noise(file))
    asked = facts("sao_small/dit")["conditioning"]
    prompt = networks.encode_text(engines["sao_small"].tokenizer.encode(asked["prompt"]).ids)
    walk = WalkSettings(1, 8, 1.0, strength=0.6, schedule="reference")
    batch = VelocityBatch(networks, 1)
    writer = LatentWriter(networks, EncodedPrompts(prompt), walk, lambda: None, lambda *_: nullcontext(batch))
    length = latent_lengths(networks.architecture, 1.0, 0)
    latents = writer.write(length, 1.0, 0, initial=rows(file["init"]))
    assert relative_error(latents, rows(file["latents"])) < 1e-4
