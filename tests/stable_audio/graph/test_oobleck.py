"""Oobleck at the published strides, with few channels and random weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from shapes import ONE_THREAD
from stable_audio_open_models import OPEN_SMALL

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.sessions import LazySession
from tunesmith.stable_audio.architecture import OobleckShape, StableAudioArchitecture
from tunesmith.stable_audio.graph.oobleck import build_oobleck_encoder, build_oobleck_head, build_oobleck_tail
from tunesmith.stable_audio.model_folder import AUTOENCODER_DECODER, AUTOENCODER_DECODER_TAIL
from tunesmith.stable_audio.oobleck_decoder import OobleckDecoder
from tunesmith.stable_audio.oobleck_stages import decoder_context, encoder_context

Array = npt.NDArray[np.float32]
# Blocks of 16 channels are what ONNX Runtime computes at a time.
WIDTH, STRIDES = 16, (2, 4, 4, 8, 8)
SHAPE = OobleckShape(WIDTH, (1, 1, 1, 1, 1), STRIDES, WIDTH)
ARCHITECTURE: StableAudioArchitecture = replace(
    OPEN_SMALL, autoencoder=SHAPE, diffusion=replace(OPEN_SMALL.diffusion, latent_channels=WIDTH)
)
HOP = SHAPE.hop_size
BLOCK = re.compile(r"autoencoder\.(encoder|decoder)\.layers\.(\d)(?:\.layers\.(\d))?(?:\.layers\.(\d))?\.(\w+)")


class RandomWeights(dict[str, Array]):
    """Weights of Oobleck that are made when they are read."""

    def __missing__(self, name: str) -> Array:
        found = BLOCK.fullmatch(name)
        assert found
        side, layer, part, unit, kind = found.groups()
        numbers = np.random.default_rng(list(name.encode()))
        if kind in ("alpha", "beta"):
            return numbers.normal(0, 0.2, WIDTH).astype(np.float32)
        outputs, inputs, kernel = WIDTH, WIDTH, 7
        if layer == "0" and side == "encoder":
            inputs = 2
        elif layer == "7":
            outputs, kernel = (2, 7) if side == "decoder" else (2 * WIDTH, 3)
        elif unit is not None:
            kernel = 7 if unit == "1" else 1
        elif part is not None:
            kernel = 2 * (STRIDES if side == "encoder" else STRIDES[::-1])[int(layer) - 1]
        size = (outputs,) if kind == "bias" else (outputs, inputs, kernel)
        return numbers.normal(0, (inputs * kernel) ** -0.5, size).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("oobleck")
    build(path / AUTOENCODER_DECODER, build_oobleck_head)
    build(path / AUTOENCODER_DECODER_TAIL, build_oobleck_tail)
    build(path / "encoder.onnx", build_oobleck_encoder)
    return path


def build(
    path: Path, graph: Callable[[GraphBuilder, StableAudioArchitecture, Mapping[str, Array]], None]
) -> None:  # fmt: skip
    with GraphBuilder(path) as builder:
        graph(builder, ARCHITECTURE, RandomWeights())


def largest(difference: Array, of: Array) -> float:
    return float(np.abs(difference).max() / np.abs(of).max())


def test_ten_latents_of_context_make_a_decoded_window_exact_and_eight_do_not(folder: Path) -> None:
    assert decoder_context(SHAPE) == 10
    decode = OobleckDecoder(folder, SHAPE, ONE_THREAD).decode
    latents = np.random.default_rng(1).standard_normal((30, WIDTH)).astype(np.float32)
    whole = decode(latents)[:, 12 * HOP : 15 * HOP]

    def window(context: int) -> Array:
        return decode(latents[12 - context : 15 + context])[:, context * HOP : -context * HOP]

    assert largest(window(10) - whole, whole) < 1e-6
    assert largest(window(8) - whole, whole) > 0


def test_eight_latents_of_context_make_an_encoded_window_exact(folder: Path) -> None:
    assert encoder_context(SHAPE) == 8
    encoder = LazySession(folder / "encoder.onnx", ONE_THREAD, keep=True)
    sound = np.random.default_rng(2).standard_normal((2, 26 * HOP)).astype(np.float32)
    whole = encoder.run({"samples": sound})[10:14]
    window = encoder.run({"samples": np.ascontiguousarray(sound[:, 2 * HOP : 22 * HOP])})[8:12]
    assert largest(window - whole, whole) < 1e-6
