from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from stable_audio_models import THIRD_SMALL, tiny_checkpoint

from tunesmith.errors import ModelFileError, UnknownName
from tunesmith.neural.architecture_file import ARCHITECTURE
from tunesmith.neural.quantization import FLOAT32
from tunesmith.stable_audio.architecture import SameShape
from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint
from tunesmith.stable_audio.conversion import GRAPHS, QUANTIZATIONS, convert
from tunesmith.stable_audio.model_folder import (
    AUTOENCODER_DECODER,
    AUTOENCODER_ENCODER,
    TOKENIZER,
    TRANSFORMER,
    read_architecture,
)


class Broken(dict[str, np.ndarray]):
    """Weights of which one cannot be read."""

    def __init__(self, checkpoint: StableAudioCheckpoint, name: str) -> None:
        super().__init__()
        self._weights, self._name = checkpoint.weights, name

    def __len__(self) -> int:
        return len(self._weights)

    def __getitem__(self, name: str) -> np.ndarray:
        if name == self._name:
            raise ModelFileError("model.safetensors", f"{name} is cut off")
        return self._weights[name]


def operations(folder: Path, graph: str = TRANSFORMER) -> list[str]:
    return [node.op_type for node in onnx.load(folder / graph, load_external_data=False).graph.node]


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_a_model_folder_is_complete(tmp_path: Path) -> None:
    shares: list[float] = []
    convert(tiny_checkpoint(), tmp_path, "int8", shares.append)
    graphs = {name for graph in GRAPHS for name in (graph, f"{graph}.data")}
    assert {path.name for path in tmp_path.iterdir()} == {ARCHITECTURE, TOKENIZER, *graphs}
    assert (tmp_path / TOKENIZER).read_bytes() == tiny_checkpoint().tokenizer.path.read_bytes()
    assert shares == sorted(shares)
    assert shares[-1] == 1
    # Every weight is read.
    assert shares[-2] == 0.99


def test_the_sizes_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    convert(tiny_checkpoint(), tmp_path, "none", lambda _: None)
    assert read_architecture(tmp_path) == THIRD_SMALL


def test_a_broken_weight_leaves_no_architecture(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint()
    broken = replace(checkpoint, weights=Broken(checkpoint, "autoencoder.encoder.layers.2.bias"))
    with pytest.raises(ModelFileError, match="cut off"):
        convert(broken, tmp_path, "none", lambda _: None)
    assert not (tmp_path / ARCHITECTURE).exists()


def test_an_unknown_quantization_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="int3"):
        convert(tiny_checkpoint(), tmp_path, "int3", lambda _: None)


@pytest.mark.parametrize("quantization", [name for name in QUANTIZATIONS if name != "none"])
def test_quantized_models_are_smaller(tmp_path: Path, quantization: str) -> None:
    for name in (quantization, "none"):
        convert(tiny_checkpoint(), tmp_path / name, name, lambda _: None)
    assert size(tmp_path / quantization) < size(tmp_path / "none")


def test_mixed_keeps_blocks_where_layers_narrow(tmp_path: Path) -> None:
    convert(tiny_checkpoint(), tmp_path, "int8-mixed", lambda _: None)
    found = operations(tmp_path, "autoencoder_decoder.onnx")
    # The second product of each feed-forward layer.
    assert isinstance(THIRD_SMALL.autoencoder, SameShape)
    assert found.count("MatMulNBits") == THIRD_SMALL.autoencoder.num_layers


def test_single_layers_take_another_form(tmp_path: Path) -> None:
    convert(tiny_checkpoint(), tmp_path / "all", "int8", lambda _: None)
    exact = {"diffusion.transformer.layers.1.self_attn.to_qkv": FLOAT32}
    convert(tiny_checkpoint(), tmp_path / "most", "int8", lambda _: None, by_layer=exact)
    counts = [operations(tmp_path / name).count("MatMulIntegerToFloat") for name in ("all", "most")]
    # Queries, keys and values, each with its correction.
    assert counts[0] - counts[1] == 6


def test_only_the_transformer_sees_all_positions_and_corrects_their_mean(tmp_path: Path) -> None:
    for quantization in ("int8", "int8-rows"):
        convert(tiny_checkpoint(), tmp_path / quantization, quantization, lambda _: None)
    for graph, corrections in ((TRANSFORMER, 36 - 18), (AUTOENCODER_DECODER, 0), (AUTOENCODER_ENCODER, 0)):
        corrected, plain = (operations(tmp_path / name, graph) for name in ("int8", "int8-rows"))
        assert corrected.count("MatMulIntegerToFloat") - plain.count("MatMulIntegerToFloat") == corrections
