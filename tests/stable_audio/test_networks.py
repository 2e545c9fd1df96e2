from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from reference_vectors import facts, relative_error, rows, vectors
from shapes import ONE_THREAD
from stable_audio_models import THIRD_SMALL, tiny_checkpoint

from tunesmith.stable_audio import fourier_features
from tunesmith.stable_audio.conditions import Conditioning, stack
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.networks import StableAudioNetworks

Array = npt.NDArray[np.float32]
Velocity = Callable[[Array, float], Array]
PAIR = 2 * THIRD_SMALL.hop_size
FLOAT32 = 1e-5
# 10,000 cycles in float32 keep three digits of a phase, and libraries round the highest frequencies differently.
AFTER_FOURIER = 1e-3
STEPS = [("velocity", 0.83), ("velocity_at_0.05", 0.05)]
LATENTS, WAVES = (2, 4, 7, 13, 60), (64, 96, 250, 300, 645)


def opened(folder: Path, quantization: str) -> StableAudioNetworks:
    convert(tiny_checkpoint(), folder, quantization, lambda _: None)
    return StableAudioNetworks(folder, ONE_THREAD)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> StableAudioNetworks:
    return opened(tmp_path_factory.mktemp("exact"), "none")


@pytest.fixture(scope="module", params=["int8", "int8-mixed", "int8-32"])
def quantized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StableAudioNetworks:
    return opened(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def reference_frequencies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the reference's own table of frequencies, which leaves only the rounding of the networks."""
    monkeypatch.setattr(fourier_features, "frequencies", lambda: vectors("sa3_small/seconds")["frequencies"])


def text_states(row: int) -> Array:
    text = vectors("sa3_small/text")
    return np.asarray(text["states"][row][text["mask"][row] == 1])


def conditioned(networks: StableAudioNetworks, *, row: int = 0, empty: bool = False) -> Conditioning:
    return networks.condition(text_states(row), facts("sa3_small/dit")["seconds_total"], empty=empty)


def latents_of_a_step() -> Array:
    return rows(vectors("sa3_small/dit")["x"])


def expected(name: str, file: str = "dit") -> Array:
    return rows(vectors(f"sa3_small/{file}")[name])


@pytest.mark.parametrize("row", [0, 1, 3])
def test_a_text_has_the_states_of_the_reference(networks: StableAudioNetworks, row: int) -> None:
    text = vectors("sa3_small/text")
    tokens = text["token_ids"][row][text["mask"][row] == 1]
    assert relative_error(networks.encode_text(tokens.tolist()), text_states(row)) < FLOAT32


def test_an_empty_text_has_no_states(networks: StableAudioNetworks) -> None:
    assert networks.encode_text([]).shape == (0, THIRD_SMALL.diffusion.condition_width)


@pytest.mark.parametrize(("name", "sigma"), STEPS)
def test_a_step_is_that_of_the_reference(networks: StableAudioNetworks, name: str, sigma: float) -> None:
    velocity = networks.velocity(latents_of_a_step(), sigma, conditioned(networks))
    assert relative_error(velocity, expected(name)) < AFTER_FOURIER


@pytest.mark.usefixtures("reference_frequencies")
@pytest.mark.parametrize(("name", "sigma"), STEPS)
def test_with_the_same_frequencies_a_step_is_exact(networks: StableAudioNetworks, name: str, sigma: float) -> None:
    velocity = networks.velocity(latents_of_a_step(), sigma, conditioned(networks))
    assert relative_error(velocity, expected(name)) < 1e-4


@pytest.mark.usefixtures("reference_frequencies")
def test_any_number_of_latents_is_run(networks: StableAudioNetworks) -> None:
    velocity = networks.velocity(latents_of_a_step()[:19], 0.83, conditioned(networks))
    assert relative_error(velocity, expected("velocity_19")) < 1e-4


@pytest.mark.usefixtures("reference_frequencies")
def test_a_step_with_kept_latents_is_that_of_the_reference(networks: StableAudioNetworks) -> None:
    mask = vectors("sa3_small/dit")["inpaint_mask"][0, 0]
    local = networks.local_condition(mask, expected("inpaint_masked_input"))
    velocity = networks.velocity(latents_of_a_step(), 0.83, conditioned(networks), local)
    assert relative_error(velocity, expected("velocity_inpaint")) < 1e-4


@pytest.mark.usefixtures("reference_frequencies")
@pytest.mark.parametrize(("name", "negative"), [("velocity_cfg3_apg0", False), ("velocity_cfg3_apg0_negative", True)])
def test_both_branches_of_guidance_are_those_of_the_reference(
    networks: StableAudioNetworks, name: str, negative: bool
) -> None:
    seconds = facts("sa3_small/dit")["seconds_total"]
    unguided = conditioned(networks, empty=True)
    if negative:
        unguided = networks.condition(negative_states(), seconds, zero_padding=True)
    both = stack([conditioned(networks), unguided])
    positive, other = networks.velocity(np.stack([latents_of_a_step()] * 2), 0.83, both)
    assert relative_error(other + 3 * (positive - other), expected(name, "guidance")) < 1e-4


def negative_states() -> Array:
    """Return the states of the words of the negative prompt, the last row being the seconds."""
    guidance = vectors("sa3_small/guidance")
    context, mask = guidance["negative_cross"][0, :-1], guidance["negative_mask"][0, :-1]
    return np.asarray(context[mask == 1])


def test_a_row_of_a_batch_is_the_row_alone_to_the_bit(
    networks: StableAudioNetworks, quantized: StableAudioNetworks
) -> None:
    for model in (networks, quantized):
        conditionings = [conditioned(model), conditioned(model, row=1), conditioned(model, empty=True)]
        latents = np.random.default_rng(3).standard_normal((3, 11, 8)).astype(np.float32)
        kept = model.local_condition(np.eye(11, dtype=np.float32)[3], np.zeros((11, 8), np.float32))
        together = model.velocities(latents, 0.4, conditionings, [None, kept, None])
        for row, local in enumerate([None, kept, None]):
            alone = model.velocities(latents[row : row + 1], 0.4, [conditionings[row]], [local])[0]
            assert together[row].tobytes() == alone.tobytes()


def test_rows_go_together_as_far_as_that_saves_time_and_keeps_their_bits(
    networks: StableAudioNetworks, tmp_path: Path
) -> None:
    # Three positions of memory come with the latents, and the longest piece has 203.
    assert [networks.most_rows(latents) for latents in (17, 37, 97, 150)] == [10, 5, 2, 1]
    in_blocks = opened(tmp_path, "int8-32")
    # An odd number of positions is not the same to the bit where products are in blocks.
    assert [in_blocks.most_rows(latents) for latents in (17, 18)] == [10, 1]


def test_keeping_nothing_is_a_mask_of_zeros(networks: StableAudioNetworks) -> None:
    latents = latents_of_a_step()
    nothing = networks.local_condition(np.zeros(len(latents), np.float32), np.zeros_like(latents))
    conditioning = conditioned(networks)
    written = networks.velocity(latents, 0.5, conditioning, nothing)
    np.testing.assert_allclose(networks.velocity(latents, 0.5, conditioning), written, atol=1e-6)


def test_text_seconds_noise_level_and_mask_change_the_velocity(networks: StableAudioNetworks) -> None:
    latents, conditioning = latents_of_a_step(), conditioned(networks)
    local = networks.local_condition(np.ones(len(latents), np.float32), latents)
    found = [
        networks.velocity(latents, 0.5, conditioning),
        networks.velocity(latents, 0.6, conditioning),
        networks.velocity(latents, 0.5, conditioned(networks, row=1)),
        networks.velocity(latents, 0.5, conditioned(networks, empty=True)),
        networks.velocity(latents, 0.5, networks.condition(text_states(0), 100.0)),
        networks.velocity(latents, 0.5, networks.condition(text_states(0), 1.5, zero_padding=True)),
        networks.velocity(latents, 0.5, conditioning, local),
    ]
    for number, velocity in enumerate(found):
        assert all(relative_error(other, velocity) > 1e-3 for other in found[:number])


def test_seconds_are_clamped_to_their_range(networks: StableAudioNetworks) -> None:
    longest, beyond = (networks.condition(text_states(0), seconds) for seconds in (384, 1000))
    np.testing.assert_array_equal(longest.inputs["global_condition"], beyond.inputs["global_condition"])


@pytest.mark.parametrize("count", LATENTS)
def test_latents_decode_to_the_samples_of_the_reference(networks: StableAudioNetworks, count: int) -> None:
    reference = vectors("sa3_small/autoencoder")
    samples = networks.decode(rows(reference[f"latents_{count}"]))
    assert samples.shape == (2, count * THIRD_SMALL.hop_size)
    # The reference returns the samples of an even number.
    assert relative_error(samples, reference[f"audio_{count}"][0][:, : samples.shape[1]]) < FLOAT32


@pytest.mark.parametrize("count", WAVES)
def test_samples_encode_to_the_latents_of_the_reference(networks: StableAudioNetworks, count: int) -> None:
    reference = vectors("sa3_small/autoencoder")
    whole = np.pad(reference[f"wave_{count}"][0], ((0, 0), (0, -count % PAIR)))
    assert relative_error(networks.encode(whole), rows(reference[f"encoded_{count}"])) < FLOAT32


@pytest.mark.parametrize(("start", "stop"), [(0, 20), (10, 30), (40, 60)])
def test_a_window_with_two_latents_of_context_decodes_exactly(
    networks: StableAudioNetworks, start: int, stop: int
) -> None:
    latents, hop = rows(vectors("sa3_small/autoencoder")["latents_60"]), THIRD_SMALL.hop_size
    first, last = max(0, start - 2), min(60, stop + 2)
    window = networks.decode(latents[first:last])[:, (start - first) * hop : (stop - first) * hop]
    np.testing.assert_allclose(window, networks.decode(latents)[:, start * hop : stop * hop], atol=1e-6)


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (4, 14), (12, 22)])
def test_a_window_with_two_latents_of_context_encodes_exactly(
    networks: StableAudioNetworks, start: int, stop: int
) -> None:
    hop = THIRD_SMALL.hop_size
    samples = np.random.default_rng(6).standard_normal((2, 22 * hop)).astype(np.float32)
    first, last = max(0, start - 2), min(22, stop + 2)
    window = networks.encode(samples[:, first * hop : last * hop])[start - first : stop - first]
    np.testing.assert_allclose(window, networks.encode(samples)[start:stop], atol=1e-5)


def test_quantized_networks_are_near(networks: StableAudioNetworks, quantized: StableAudioNetworks) -> None:
    exact = networks.velocity(latents_of_a_step(), 0.83, conditioned(networks))
    velocity = quantized.velocity(latents_of_a_step(), 0.83, conditioned(quantized))
    assert 1e-4 < relative_error(velocity, exact) < 0.03
    latents = rows(vectors("sa3_small/autoencoder")["latents_60"])
    assert relative_error(quantized.decode(latents), networks.decode(latents)) < 0.01
    samples = vectors("sa3_small/autoencoder")["wave_64"][0]
    assert relative_error(quantized.encode(samples), networks.encode(samples)) < 0.01


def test_quantized_texts_are_near(networks: StableAudioNetworks, quantized: StableAudioNetworks) -> None:
    assert relative_error(quantized.encode_text([5, 60, 7]), networks.encode_text([5, 60, 7])) < 0.03


@pytest.mark.usefixtures("reference_frequencies")
def test_each_of_eight_steps_is_that_of_the_reference(networks: StableAudioNetworks) -> None:
    generated, conditioning = vectors("sa3_small/generate_exact"), networks.condition(text_states(0), 2.0)
    for latents, denoised, sigma in zip(rows(generated["x"]), rows(generated["denoised"]), sigmas(), strict=False):
        velocity = networks.velocity(latents, sigma, conditioning)
        assert relative_error(latents - sigma * velocity, denoised) < 1e-4


def test_the_error_of_quantized_networks_does_not_grow_over_eight_steps(quantized: StableAudioNetworks) -> None:
    generated, conditioning = vectors("sa3_small/generate_exact"), quantized.condition(text_states(0), 2.0)
    noise, latents = rows(generated["noise"]), rows(generated["x"])[0]
    for sigma, following, fresh in zip(sigmas(), sigmas()[1:], noise[1:], strict=False):
        denoised = latents - sigma * quantized.velocity(latents, sigma, conditioning)
        latents = (1 - following) * denoised + following * fresh
    assert relative_error(latents, rows(generated["denoised"])[-1]) < 0.03


def sigmas() -> list[float]:
    """Return the noise levels of eight steps from pure noise."""
    return [float(sigma) for sigma in vectors("sa3_small/schedules")["sigma_1"].ravel()]
