"""The codec computes what transformers' EnCodec computes, for every shape its configuration allows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from shapes import ONE_THREAD, TINY

from tunesmith.musicgen.architecture import Architecture, CodecShape
from tunesmith.musicgen.graph.codec import build_codec_encoder, build_codec_frames, build_codec_samples
from tunesmith.musicgen.model_folder import CODEC_ENCODER, CODEC_FRAMES, CODEC_SAMPLES
from tunesmith.musicgen.onnx import onnx_codec
from tunesmith.musicgen.onnx.onnx_codec import OnnxCodec
from tunesmith.neural.graph_builder import GraphBuilder

SHAPES: dict[str, CodecShape] = {
    "as published": replace(TINY.codec, conv_shortcut=False),
    "shortcut": TINY.codec,
    "zero padding": replace(TINY.codec, pad_mode="constant"),
    "one LSTM layer": replace(TINY.codec, num_lstm_layers=1),
    "deep residuals": replace(TINY.codec, num_residual_layers=2, dilation_growth=3),
    "16 kHz": replace(TINY.codec, sample_rate=16_000, ratios=(8, 5, 4, 2)),
    "odd ratios": replace(TINY.codec, ratios=(5, 3)),
    "causal": replace(TINY.codec, causal=True),
    "long kernels": replace(TINY.codec, kernel_size=9, last_kernel_size=5, residual_kernel_size=5, compress=4),
}


def reference_codec(shape: CodecShape) -> Any:
    """Return transformers' EnCodec of this shape, random throughout."""
    import torch
    from transformers import EncodecConfig, EncodecModel

    config = EncodecConfig(
        sampling_rate=shape.sample_rate, upsampling_ratios=list(shape.ratios), num_filters=shape.num_filters,
        hidden_size=shape.latent_size, codebook_dim=shape.latent_size, codebook_size=shape.codebook_size,
        target_bandwidths=[shape.num_codebooks * np.ceil(shape.frame_rate) * 10 / 1000 + 1e-6],  # 10 bits a code
        kernel_size=shape.kernel_size, last_kernel_size=shape.last_kernel_size, compress=shape.compress,
        residual_kernel_size=shape.residual_kernel_size, num_residual_layers=shape.num_residual_layers,
        dilation_growth_rate=shape.dilation_growth, num_lstm_layers=shape.num_lstm_layers,
        pad_mode=shape.pad_mode, use_causal_conv=shape.causal, use_conv_shortcut=shape.conv_shortcut, normalize=False,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = EncodecModel(config).eval()
        for layer in model.quantizer.layers:
            layer.codebook.embed.copy_(torch.randn_like(layer.codebook.embed))
    return model


def weights_of(model: Any) -> dict[str, NDArray[np.float32]]:
    """Return its weights by their published names, weight norm folded."""
    weights = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    for name, module in model.named_modules():
        if hasattr(module, "parametrizations"):
            weights[f"{name}.weight"] = module.weight.detach().numpy()
    return {f"audio_encoder.{name}": tensor for name, tensor in weights.items()}


def write_codec(folder: Path, architecture: Architecture, weights: dict[str, NDArray[np.float32]]) -> OnnxCodec:
    builders = {
        CODEC_FRAMES: build_codec_frames, CODEC_SAMPLES: build_codec_samples, CODEC_ENCODER: build_codec_encoder,
    }  # fmt: skip
    for name, build in builders.items():
        with GraphBuilder(folder / name) as builder:
            build(builder, architecture, weights)
    return OnnxCodec(folder, architecture, ONE_THREAD)


@pytest.fixture(scope="module", params=SHAPES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, OnnxCodec]:
    architecture = replace(TINY, codec=SHAPES[request.param])
    model = reference_codec(architecture.codec)
    return model, write_codec(tmp_path_factory.mktemp("codec"), architecture, weights_of(model))


def decoded(model: Any, codes: NDArray[np.int64]) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        sound: NDArray[np.float32] = model.decode(torch.from_numpy(codes)[None, None], [None]).audio_values[0].numpy()
    return sound


def some_codes(frames: int) -> NDArray[np.int64]:
    return np.random.default_rng(frames).integers(0, TINY.codec.codebook_size, (TINY.codec.num_codebooks, frames))


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 130])
def test_codes_decode_to_the_same_samples(pair: tuple[Any, OnnxCodec], frames: int) -> None:
    model, codec = pair
    codes = some_codes(frames)
    sound = codec.decode(codes)
    assert sound.shape == (1, frames * codec.architecture.codec.hop)
    np.testing.assert_allclose(sound, decoded(model, codes), atol=1e-4)


@pytest.mark.parametrize("pieces", [[1] * 40, [3, 1, 20, 1, 1, 14], [39, 1], [40]])
def test_pieces_join_to_the_whole(pair: tuple[Any, OnnxCodec], pieces: list[int]) -> None:
    model, codec = pair
    codes, stream = some_codes(40), codec.stream()
    edges = np.cumsum([0, *pieces])
    parts = [stream.feed(codes[:, start:stop]) for start, stop in itertools.pairwise(edges)]
    np.testing.assert_allclose(np.concatenate([*parts, stream.finish()], axis=1), decoded(model, codes), atol=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 60])
def test_samples_encode_to_the_same_codes(pair: tuple[Any, OnnxCodec], frames: int) -> None:
    import torch

    model, codec = pair
    samples = np.random.default_rng(7).standard_normal((1, frames * codec.architecture.codec.hop)).astype(np.float32)
    with torch.inference_mode():
        wanted = model.encode(torch.from_numpy(0.3 * samples)[None]).audio_codes[0, 0, : TINY.codec.num_codebooks]
    np.testing.assert_array_equal(codec.encode(0.3 * samples), wanted.numpy())


def test_a_long_recording_encodes_in_stretches_as_it_does_at_once(
    pair: tuple[Any, OnnxCodec], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, codec = pair
    hop, rate = codec.architecture.codec.hop, codec.architecture.frame_rate
    samples = 0.3 * np.random.default_rng(8).standard_normal((1, 300 * hop)).astype(np.float32)
    at_once = codec.encode(samples)
    monkeypatch.setattr(onnx_codec, "ENCODED_SECONDS", 100 / rate)
    monkeypatch.setattr(onnx_codec, "CONTEXT_SECONDS", 30 / rate)
    in_stretches = codec.encode(samples)
    assert in_stretches.shape == at_once.shape
    assert np.mean(in_stretches == at_once) > 0.99  # the encoder's memory fades, but has no end


def test_stereo_is_two_channels_interleaved(tmp_path: Path) -> None:
    mono = replace(TINY, codec=SHAPES["as published"])
    weights = weights_of(reference_codec(mono.codec))
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = write_codec(tmp_path / "one", mono, weights)
    two = write_codec(tmp_path / "two", replace(mono, audio_channels=2), weights)
    left, right = some_codes(20), some_codes(21)[:, :20]
    both = np.stack([left, right], axis=1).reshape(8, 20)
    sound = two.decode(both)
    np.testing.assert_array_equal(sound, np.concatenate([one.decode(left), one.decode(right)]))
    np.testing.assert_array_equal(
        two.encode(sound), np.stack([one.encode(sound[:1]), one.encode(sound[1:])], 1).reshape(8, 20)
    )
