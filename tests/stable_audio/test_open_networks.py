"""The networks of Stable Audio Open against what the reference computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from reference_vectors import facts, relative_error, rows, vectors
from shapes import ONE_THREAD
from stable_audio_open_models import OPEN_MODELS, TINY_OOBLECK, TINY_T5, tiny_open_checkpoint

from tunesmith.neural.t5_tokenizer import Tokenizer
from tunesmith.stable_audio.conditions import Conditioning, stack
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.networks import StableAudioNetworks
from tunesmith.stable_audio.oobleck_decoder import TILE_LATENTS
from tunesmith.stable_audio.oobleck_stages import decoder_context, encoder_context

Array = npt.NDArray[np.float32]
EXACT = 1e-5
NO_TEXT = np.zeros((0, TINY_T5.hidden_size), np.float32)


class Bench:
    """An opened model, and the reference's numbers for it."""

    def __init__(self, name: str, folder: Path) -> None:
        convert(tiny_open_checkpoint(name), folder, "none", lambda _: None)
        self.name, self.architecture = name, OPEN_MODELS[name]
        self.networks = StableAudioNetworks(folder, ONE_THREAD)

    def vectors(self, file: str) -> dict[str, Array]:
        return vectors(f"{self.name}/{file}")

    def reference_condition(self, states: str, mask: Array | None = None) -> Conditioning:
        """Condition on the rows of the reference's context."""
        expected, count = self.vectors("dit"), len(self.architecture.numbers)
        prompt = expected[states][0][:-count]
        real = (np.abs(prompt) if mask is None else mask[0, :-count, None]).sum(axis=1) > 0
        return self.networks.condition(np.ascontiguousarray(prompt[real]), self.numbers())

    def numbers(self) -> dict[str, float]:
        asked = facts(f"{self.name}/dit")["conditioning"]
        return {number.name: asked[number.name] for number in self.architecture.numbers}


@pytest.fixture(scope="module", params=list(OPEN_MODELS))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(request.param, tmp_path_factory.mktemp(request.param))


def test_prompts_have_the_tokens_of_the_reference_and_long_ones_are_cut(bench: Bench) -> None:
    text = bench.vectors("text")
    tokenizer = Tokenizer(bench.networks.tokenizer, TINY_T5.vocabulary_size, bench.architecture.max_tokens)
    found = [tokenizer.encode(prompt) for prompt in facts(f"{bench.name}/text")["texts"]]
    for tokens, ids, mask in zip(found, text["token_ids"], text["mask"], strict=True):
        assert list(tokens.ids) == ids[mask == 1].tolist()
    assert [len(tokens.ids) for tokens in found][1:] == [bench.architecture.max_tokens, 1]
    assert found[1].num_cut > 0


@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_text_has_the_states_of_the_reference(bench: Bench, row: int) -> None:
    text = bench.vectors("text")
    real = text["mask"][row] == 1
    states = bench.networks.encode_text(text["token_ids"][row][real].tolist())
    assert relative_error(states, text["conditioned"][row][real]) < EXACT
    assert not text["conditioned"][row][~real].any()


def test_the_steps_are_those_of_the_reference(bench: Bench) -> None:
    expected = bench.vectors("dit")
    conditioning = bench.reference_condition("cross")
    for name, level in (("velocity", 0.83), ("velocity_at_0.05", 0.05)):
        velocity = bench.networks.velocity(rows(expected["x"]), level, conditioning)
        assert relative_error(velocity, rows(expected[name])) < EXACT


def test_guidance_with_and_without_a_negative_prompt_is_that_of_the_reference(bench: Bench) -> None:
    expected, networks = bench.vectors("dit"), bench.networks
    text = bench.reference_condition("cross")
    empty = networks.condition(NO_TEXT, bench.numbers(), empty=True)
    negative = bench.reference_condition("negative_cross", expected["negative_mask"])
    for name, other in (("velocity_cfg6", empty), ("velocity_cfg6_negative", negative)):
        toward, away = networks.velocity(np.stack([rows(expected["x"])] * 2), 0.83, stack([text, other]))
        assert relative_error(away + 6 * (toward - away), rows(expected[name])) < EXACT


def test_numbers_are_embedded_as_by_the_reference_and_clamped_to_their_range(bench: Bench) -> None:
    expected, weights = bench.vectors("seconds"), tiny_open_checkpoint(bench.name).weights
    names = [number.name for number in bench.architecture.numbers]
    assert expected["seconds"][-1] > bench.architecture.numbers[-1].high
    for row, value in enumerate(expected["seconds"].tolist()):
        joined = np.concatenate([expected[name][row] for name in names])
        inner = weights["diffusion.to_global_embed.0.weight"] @ joined
        projected = weights["diffusion.to_global_embed.2.weight"] @ (inner / (1 + np.exp(-inner)))
        found = bench.networks.condition(NO_TEXT, dict.fromkeys(names, value)).inputs["global_condition"][0]
        assert relative_error(found, projected) < EXACT


def test_seconds_alone_leave_the_other_numbers_at_their_lowest(bench: Bench) -> None:
    alone = bench.networks.condition(NO_TEXT, 5.0)
    named = bench.networks.condition(NO_TEXT, {"seconds_start": 0.0, "seconds_total": 5.0})
    for name in alone.inputs:
        np.testing.assert_array_equal(alone.inputs[name], named.inputs[name])


def test_quantized_steps_stay_close(bench: Bench, tmp_path: Path) -> None:
    convert(tiny_open_checkpoint(bench.name), tmp_path, "int8", lambda _: None)
    quantized = StableAudioNetworks(tmp_path, ONE_THREAD)
    expected, conditioning = bench.vectors("dit"), bench.reference_condition("cross")
    velocity = quantized.velocity(rows(expected["x"]), 0.83, conditioning)
    assert 1e-4 < relative_error(velocity, rows(expected["velocity"])) < 0.02


@pytest.mark.parametrize("count", [1, 4, 60])
def test_latents_are_decoded_as_by_the_reference(bench: Bench, count: int) -> None:
    expected = bench.vectors("autoencoder")
    samples = bench.networks.decode(rows(expected[f"latents_{count}"]))
    assert relative_error(samples, expected[f"audio_{count}"][0]) < EXACT


def test_a_whole_piece_is_decoded_as_by_the_reference(bench: Bench) -> None:
    expected = bench.vectors("generate" if bench.name == "sao_small" else "generate_3m_sde")
    samples = bench.networks.decode(rows(expected["latents"]))
    assert relative_error(samples[:, : expected["audio"].shape[-1]], expected["audio"][0]) < EXACT


def test_a_sound_is_encoded_as_by_the_reference(bench: Bench) -> None:
    expected = bench.vectors("autoencoder")
    encoded = bench.networks.encode(expected["wave"][0])
    means = rows(expected["moments"])[:, : encoded.shape[1]]
    assert relative_error(encoded, means) < EXACT


def test_windows_decode_to_the_samples_of_one_pass(bench: Bench) -> None:
    latents, hop, context = rows(bench.vectors("autoencoder")["latents_60"]), 32, decoder_context(TINY_OOBLECK)
    whole = bench.networks.decode(latents)
    start, stop = 25, 35
    window = bench.networks.decode(latents[start - context : stop + context])
    kept = window[:, context * hop : -context * hop]
    np.testing.assert_allclose(kept, whole[:, start * hop : stop * hop], atol=1e-6 * np.abs(whole).max())


def test_windows_encode_to_the_latents_of_one_pass(bench: Bench) -> None:
    hop, context = 32, encoder_context(TINY_OOBLECK)
    sound = np.random.default_rng(1).standard_normal((2, 60 * hop)).astype(np.float32)
    whole, start, stop = bench.networks.encode(sound), 25, 35
    window = bench.networks.encode(sound[:, (start - context) * hop : (stop + context) * hop])
    np.testing.assert_allclose(window[context:-context], whole[start:stop], atol=1e-6 * np.abs(whole).max())


def test_tiles_of_the_tail_are_seamless(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    latents = rows(bench.vectors("autoencoder")["latents_60"])
    assert len(latents) > 2 * TILE_LATENTS
    tiled = bench.networks.decode(latents)
    monkeypatch.setattr("tunesmith.stable_audio.oobleck_decoder.TILE_LATENTS", len(latents))
    whole = bench.networks.decode(latents)
    np.testing.assert_allclose(tiled, whole, atol=1e-6 * np.abs(whole).max())
