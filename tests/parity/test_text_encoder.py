"""The text encoder's graph against transformers' T5 encoder and projection, on random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from checkpoints import Kind, make_musicgen
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture, CodecShape, TransformerShape
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.musicgen.graph.text_encoder import build_text_encoder
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import QUANTIZATIONS, Quantization
from tunesmith.neural.sessions import SessionOptions, open_session
from tunesmith.neural.t5 import T5Shape, relative_buckets

Activation = Literal["relu", "gelu", "gelu_new"]
States = NDArray[np.float32]
DECODER_WIDTH = 128


class Reference:
    """A random T5 encoder of transformers with its projection, if it has one."""

    def __init__(
        self, *, activation: Activation = "relu", gated: bool = False, layers: int = 2, width: int = 64,
        projected: bool = True,
    ) -> None:  # fmt: skip
        import torch
        from transformers import T5Config, T5EncoderModel

        self.shape = T5Shape(
            hidden_size=width, num_layers=layers, num_heads=3, head_size=16, ffn_size=96, vocabulary_size=100,
            activation=activation, gated=gated,
        )  # fmt: skip
        config = T5Config(
            vocab_size=100, d_model=width, d_kv=16, d_ff=96, num_layers=layers, num_heads=3,
            feed_forward_proj=f"gated-{activation}" if gated else activation,
        )  # fmt: skip
        config.dense_act_fn = activation
        torch.manual_seed(layers)
        self.model: Any = T5EncoderModel(config).eval()
        self.projection = torch.nn.Linear(width, DECODER_WIDTH) if projected else None
        with torch.no_grad():
            for name, tensor in self.model.named_parameters():
                tensor.copy_(_spread(name, tensor) * torch.randn_like(tensor) + ("norm" in name))

    def __call__(self, token_ids: NDArray[np.int64]) -> States:
        import torch

        with torch.no_grad():
            states = self.model(torch.from_numpy(token_ids)).last_hidden_state[0]
            result: States = (self.projection(states) if self.projection else states).numpy()
        return result

    @property
    def weights(self) -> Weights:
        named = {f"text_encoder.{name}": tensor.numpy() for name, tensor in self.model.state_dict().items()}
        if self.projection:
            named |= {f"enc_to_dec_proj.{n}": t.numpy() for n, t in self.projection.state_dict().items()}
        return named

    @property
    def architecture(self) -> Architecture:
        return Architecture(
            decoder=TransformerShape(DECODER_WIDTH, 1, 2, 512, 4),
            text_encoder=self.shape,
            codec=CodecShape(32000, (8, 5, 4, 4), 4, 16, 4, 64),
            delays=(0, 1, 2, 3),
        )


def _spread(name: str, tensor: Any) -> float:
    if tensor.ndim == 1:
        return 0.2
    if "relative_attention_bias" in name or "shared" in name:
        return 1.0
    scale = tensor.shape[1] ** -0.5
    return float(scale / 4 if ".q." in name else scale)


def _encode(
    architecture: Architecture, weights: Weights, folder: Path, quantization: Quantization | None = None
) -> Any:
    path = folder / "text_encoder.onnx"
    with GraphBuilder(path, quantization) as builder:
        build_text_encoder(builder, architecture, weights)
    session = open_session(path, SessionOptions(num_threads=1))
    return lambda token_ids: session.run(["states"], {"token_ids": token_ids})[0]


def _tokens(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(count).integers(0, 100, (1, count))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(
    ("activation", "gated"), [("relu", False), ("gelu_new", False), ("gelu_new", True), ("gelu", True), ("relu", True)]
)
def test_states_are_those_of_transformers(tmp_path: Path, activation: Activation, gated: bool, layers: int) -> None:
    reference = Reference(activation=activation, gated=gated, layers=layers)
    encode = _encode(reference.architecture, reference.weights, tmp_path)
    for count in (1, 2, 12, 200):
        expected = reference(_tokens(count))
        assert np.abs(expected).max() > 0.5
        np.testing.assert_allclose(encode(_tokens(count)), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["text", "melody"])
def test_states_are_those_of_a_whole_model(tmp_path: Path, kind: Kind) -> None:
    import torch

    model = make_musicgen(kind=kind)
    shape = T5Shape(32, 2, 2, 16, 64, 128)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    encode = _encode(replace(Reference().architecture, text_encoder=shape), weights, tmp_path)
    with torch.no_grad():
        encoded = model.text_encoder(torch.from_numpy(_tokens(12))).last_hidden_state[0]
        expected = model.enc_to_dec_proj(encoded).numpy()
    np.testing.assert_allclose(encode(_tokens(12)), expected, atol=1e-4, rtol=1e-4)


def test_a_text_of_every_token_the_encoder_takes_is_encoded(tmp_path: Path) -> None:
    reference = Reference(layers=1)
    states = _encode(reference.architecture, reference.weights, tmp_path)(_tokens(512))
    assert states.shape == (512, DECODER_WIDTH)
    np.testing.assert_allclose(states, reference(_tokens(512)), atol=1e-4, rtol=1e-4)


def test_a_checkpoint_of_equal_widths_needs_no_projection(tmp_path: Path) -> None:
    reference = Reference(width=DECODER_WIDTH, projected=False)
    np.testing.assert_allclose(
        _encode(reference.architecture, reference.weights, tmp_path)(_tokens(9)),
        reference(_tokens(9)),
        atol=1e-4,
        rtol=1e-4,
    )


def test_a_projection_between_equal_widths_is_not_left_out(tmp_path: Path) -> None:
    reference = Reference(width=DECODER_WIDTH, projected=True)
    np.testing.assert_allclose(
        _encode(reference.architecture, reference.weights, tmp_path)(_tokens(9)),
        reference(_tokens(9)),
        atol=1e-4,
        rtol=1e-4,
    )


def test_a_missing_projection_between_unequal_widths_is_an_error(tmp_path: Path) -> None:
    reference = Reference(projected=False)
    with pytest.raises(KeyError, match="enc_to_dec_proj"):
        _encode(reference.architecture, reference.weights, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("buckets", "max_distance"), [(32, 128), (8, 20), (64, 512)])
def test_every_distance_falls_into_the_bucket_of_transformers(buckets: int, max_distance: int) -> None:
    import torch
    from transformers.models.t5.modeling_t5 import T5Attention

    shape = T5Shape(64, 1, 3, 16, 96, 100, relative_buckets=buckets, relative_max_distance=max_distance)
    distances = torch.arange(-600, 601)
    expected = T5Attention._relative_position_bucket(distances, num_buckets=buckets, max_distance=max_distance)
    clipped = np.clip(distances.numpy(), -max_distance, max_distance) + max_distance
    np.testing.assert_array_equal(relative_buckets(shape)[clipped], expected.numpy())


@pytest.mark.parametrize(("name", "bound"), [("int8", 0.03), ("int8-32", 0.02)])
@pytest.mark.parametrize("gated", [False, True])
def test_quantized_states_stay_near(tmp_path: Path, name: str, bound: float, gated: bool) -> None:
    reference = Reference(activation="gelu_new" if gated else "relu", gated=gated)
    expected = reference(_tokens(40))
    error = _encode(reference.architecture, reference.weights, tmp_path, QUANTIZATIONS[name])(_tokens(40)) - expected
    assert 0 < np.linalg.norm(error) / np.linalg.norm(expected) < bound
