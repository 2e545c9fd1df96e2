"""Stable Audio Open 1.0 against diffusers: a folder that diffusers wrote, read by us, gives what its models compute.

Known differences, kept out of the comparison: diffusers samples the autoencoder's latents, where ours are their mean;
its pipeline always writes all latents and decodes them at once; it adds the audio to start from to noise at full level;
its solver is of second order (CosineDPMSolverMultistep), where the model's own, dpmpp-3m-sde, is of third. That solver
needs torchsde, so its steps are compared with recordings of it (tests/stable_audio/test_samplers.py).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from checkpoints import VOCABULARY_SIZE, write_tokenizer
from lazy_modules import LazyModule
from reference_vectors import relative_error
from shapes import ONE_THREAD

from tunesmith.stable_audio.checkpoint.checkpoint import open_checkpoint
from tunesmith.stable_audio.conditions import stack
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.networks import StableAudioNetworks
from tunesmith.stable_audio.prompt_tokens import open_tokenizer

torch: Any = LazyModule("torch")
transformers: Any = LazyModule("transformers")
autoencoders: Any = LazyModule("diffusers.models.autoencoders.autoencoder_oobleck")
transformer_models: Any = LazyModule("diffusers.models.transformers.stable_audio_transformer")
embeddings: Any = LazyModule("diffusers.models.embeddings")
projections: Any = LazyModule("diffusers.pipelines.stable_audio.modeling_stable_audio")

Array = npt.NDArray[np.float32]
WIDTH, CHANNELS, LATENTS, TOKENS = 64, 4, 12, 128
PROMPT, SECONDS = "slow piano music with drums", 3.5
EXACT = 1e-4


@dataclass(frozen=True)
class Peer:
    """diffusers' models, with random weights."""

    transformer: Any
    vae: Any
    projection: Any
    text_encoder: Any

    @classmethod
    def make(cls) -> Peer:
        torch.manual_seed(3)
        transformer = transformer_models.StableAudioDiTModel(
            sample_size=LATENTS, in_channels=CHANNELS, out_channels=CHANNELS, num_layers=2, attention_head_dim=64,
            num_attention_heads=2, num_key_value_attention_heads=1, cross_attention_dim=WIDTH,
            cross_attention_input_dim=WIDTH, global_states_input_dim=2 * WIDTH,
        )  # fmt: skip
        with warnings.catch_warnings():
            # torch's own: diffusers still calls the older weight_norm.
            warnings.simplefilter("ignore", FutureWarning)
            vae = autoencoders.AutoencoderOobleck(
                encoder_hidden_size=8, decoder_channels=8, downsampling_ratios=[2, 4], channel_multiples=[1, 2],
                decoder_input_channels=CHANNELS, sampling_rate=640,
            )  # fmt: skip
        text = transformers.T5Config(
            d_model=WIDTH, d_kv=32, d_ff=96, num_layers=2, num_heads=2, vocab_size=VOCABULARY_SIZE,
            is_encoder_decoder=False,
        )  # fmt: skip
        projection = projections.StableAudioProjectionModel(WIDTH, WIDTH, 0, 512)
        made = cls(transformer, vae, projection, transformers.T5EncoderModel(text))
        for model in (transformer, vae, projection, made.text_encoder):
            model.eval()
            # Norms and biases at random too, so that none can be left out unnoticed.
            for parameter in model.parameters():
                if parameter.ndim == 1:
                    parameter.data += 0.2 * torch.randn_like(parameter)
        return made

    def save(self, folder: Path) -> Path:
        """Write what a pipeline consists of, each part by diffusers' own hand."""
        parts = {"transformer": self.transformer, "vae": self.vae, "projection_model": self.projection}
        for name, model in {**parts, "text_encoder": self.text_encoder}.items():
            model.save_pretrained(folder / name)
        (folder / "tokenizer").mkdir()
        write_tokenizer(folder / "tokenizer")
        (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableAudioPipeline"}))
        return folder


@dataclass(frozen=True)
class Both:
    """Our networks, and diffusers' models of the same weights."""

    ours: StableAudioNetworks
    peer: Peer

    def token_ids(self) -> tuple[int, ...]:
        return tuple(open_tokenizer(self.ours.tokenizer, self.ours.architecture).encode(PROMPT).ids)

    def context(self) -> tuple[Any, Any]:
        """Return diffusers' context (1, keys, width) and global condition (1, 1, 2 width), as its pipeline does."""
        ids = self.token_ids()
        padded = torch.tensor([[*ids, *[0] * (TOKENS - len(ids))]])
        mask = (torch.arange(TOKENS) < len(ids)).long()[None]
        states = self.peer.text_encoder(padded, attention_mask=mask).last_hidden_state
        found = self.peer.projection(states, torch.tensor([0.0]), torch.tensor([SECONDS]))
        text = found.text_hidden_states * mask[..., None]
        numbers = found.seconds_start_hidden_states, found.seconds_end_hidden_states
        return torch.cat([text, *numbers], dim=1), torch.cat(numbers, dim=2)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("open")
    peer = Peer.make()
    convert(open_checkpoint(peer.save(folder / "published")), folder / "ours", "none", lambda _: None)
    with torch.inference_mode():
        yield Both(StableAudioNetworks(folder / "ours", ONE_THREAD), peer)


def test_a_text_has_diffusers_states(both: Both) -> None:
    ids = both.token_ids()
    context, _ = both.context()
    assert relative_error(both.ours.encode_text(ids), context[0, : len(ids)].numpy()) < EXACT


@pytest.mark.parametrize("level", [0.05, 0.9])
def test_a_step_has_diffusers_velocity_with_and_without_text(both: Both, level: float) -> None:
    rng = np.random.default_rng(4)
    latents = rng.standard_normal((LATENTS, CHANNELS)).astype(np.float32)
    states, numbers = both.ours.encode_text(both.token_ids()), both.ours.architecture.numbers_for(SECONDS)
    conditionings = [both.ours.condition(states, numbers, empty=empty) for empty in (False, True)]
    ours = both.ours.velocity(np.stack([latents, latents]), level, stack(conditionings))

    context, fixed = both.context()
    turned = embeddings.get_1d_rotary_pos_embed(32, LATENTS + 1, use_real=True, repeat_interleave_real=False)
    x = torch.from_numpy(np.ascontiguousarray(latents.T))[None].repeat(2, 1, 1)
    theirs = both.peer.transformer(
        x, torch.tensor([level]), encoder_hidden_states=torch.cat([context, torch.zeros_like(context)]),
        global_hidden_states=fixed.repeat(2, 1, 1), rotary_embedding=turned,
        return_dict=False,
    )[0].numpy()  # fmt: skip
    assert relative_error(ours, theirs.transpose(0, 2, 1)) < EXACT
    assert relative_error(ours[0], ours[1]) > 20 * EXACT


def test_the_autoencoder_is_diffusers(both: Both) -> None:
    rng = np.random.default_rng(5)
    latents = rng.standard_normal((LATENTS, CHANNELS)).astype(np.float32)
    hop = both.ours.architecture.hop_size
    samples = (0.3 * rng.standard_normal((2, LATENTS * hop))).astype(np.float32)
    decoded = both.peer.vae.decode(torch.from_numpy(np.ascontiguousarray(latents.T))[None]).sample[0].numpy()
    encoded = both.peer.vae.encode(torch.from_numpy(samples)[None]).latent_dist.mean[0].numpy().T
    assert relative_error(both.ours.decode(latents), decoded) < EXACT
    assert relative_error(both.ours.encode(samples), encoded) < EXACT
