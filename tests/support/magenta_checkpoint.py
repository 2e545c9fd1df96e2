"""A tiny Magenta RealTime 2 in the layout of ``google/magenta-realtime-2``, with the reference's random weights.

checkpoints/mrt2_small.safetensors                            language model and codec
resources/musiccoca/{text_encoder,mapper,pretrained_vector_quantizer}.tflite, spm.model
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
from magenta_vectors import MAGENTA_VECTORS, TINY_WEIGHTS, magenta_arrays
from protobuf_writer import bytes_field, float_field, number_field
from safetensors.numpy import load_file
from tflite_writer import FULLY_CONNECTED, GATHER, Graph, write_tflite

Array = npt.NDArray[np.float32]
Arrays = dict[str, Array]
HUB_ID = "google/magenta-realtime-2"
CHECKPOINT, MUSICCOCA = "checkpoints/mrt2_small.safetensors", "resources/musiccoca"
PIECES = (
    "<pad>", "<s>", "</s>", "<unk>", "▁", "▁lofi", "▁hip", "▁hop", "▁piano", "▁calm", "▁with", "▁rain", "▁sounds",
    "▁techno", "▁jazz", "▁drums", "▁and", "▁bass", "s", "o", "n", "e", "a", "i", "t", "r", "l", "h", "p", "c", "m", "d",
    "lo", "fi", "ra", "in",
)  # fmt: skip
SCALED_QUERY = "dot_attn/_scale_query/mul"
UNKNOWN, CONTROLS = "<unk>", ("<pad>", "<s>", "</s>")
KINDS = {"F32": "<f4", "F16": "<f2", "BF16": ml_dtypes.bfloat16}
DECODER, BASE_CHANNELS, QUIET = "params/soundstream/decoder", 16, 0.01
FIRST_CONVOLUTIONS = (
    "input_layers_residual_unit/conv2d_3x3", "input_layers_residual_unit/conv2d_3x3_a", "decoder_0/conv2d_3x3",
    "decoder_0/conv2dtranspose_4x3", "decoder_1/conv2d_3x3",
)  # fmt: skip
MAPPER_ARGUMENTS = (
    "cond1.bias", "cond1.kernel", "norm1.scale", "qkv.kernel", "k_sink", "v_sink", "post.kernel", "cond2.bias",
    "cond2.kernel", "ffn1.bias", "ffn1.kernel", "ffn2.bias", "ffn2.kernel", "norm2.scale",
)  # fmt: skip
"""The stacked weights of the mapper's loop in the order of its arguments, of which the first is number 2."""


def write_magenta_tree(
    folder: Path, *, dtype: str = "F32", mapper: bool = True, change: Callable[[Arrays], None] = lambda _: None
) -> Path:
    """Write the tree and return it; ``change`` changes the weights of the language model and the codec in place.

    The test is skipped where the reference's weights are not there.
    """
    weights = tonal_weights()
    change(weights)
    write_safetensors(folder / CHECKPOINT, weights, dtype)
    write_style_files(folder / MUSICCOCA, mapper=mapper)
    return folder


def tiny_weights() -> Arrays:
    """Return the reference's weights of the language model and the codec by their published names."""
    # Skips the test where there are none.
    magenta_arrays("mrt2_tiny/codec")
    return load_file(TINY_WEIGHTS)


def tonal_weights() -> Arrays:
    """Return the same weights, with a codec whose sound lies below 4.8 kHz: random ones make noise, which is refused.

    The codec begins with five bands, of which only the lowest is left loud, and the first convolutions no longer mix
    them.
    """
    weights = tiny_weights()
    bands = np.repeat(np.array([1, *[QUIET] * 4], np.float32), BASE_CHANNELS)
    for name in ("conv1x1_first", "shortcut_layer/conv1x1_b2"):
        for part in ("kernel", "bias"):
            weights[f"{DECODER}/input_layer/{name}/conv/{part}"] *= bands
    for name in weights:
        if name.startswith(DECODER) and name.endswith("bias") and "input_layer/" not in name:
            weights[name] *= np.float32(QUIET)
    for name in FIRST_CONVOLUTIONS:
        weights[f"{DECODER}/{name}/conv/kernel"] *= np.array([QUIET, 1, QUIET], np.float32)[:, None, None]
    return weights


def tiny_config() -> dict[str, Any]:
    """Return the sizes of the tiny model as the reference states them."""
    found: dict[str, Any] = json.loads((MAGENTA_VECTORS / "mrt2_tiny" / "config.json").read_text(encoding="utf-8"))
    return found


def write_style_files(folder: Path, *, mapper: bool = True) -> Path:
    """Write the four files of MusicCoCa."""
    write_tflite(folder / "text_encoder.tflite", [text_graph(text_weights())])
    write_tflite(folder / "pretrained_vector_quantizer.tflite", [quantizer_graph(codebooks())])
    if mapper:
        write_tflite(folder / "mapper.tflite", mapper_graphs(mapper_weights()))
    (folder / "spm.model").write_bytes(vocabulary())
    return folder


def text_weights() -> Arrays:
    """Return the reference's weights of the text encoder."""
    return _weights("text")


def mapper_weights() -> Arrays:
    """Return the reference's weights of the mapper."""
    return _weights("mapper")


def codebooks() -> Array:
    """Return the reference's codebooks of the style: (levels, codes, width)."""
    return magenta_arrays("musiccoca_tiny/quantizer")["codebooks"]


def text_graph(weights: Mapping[str, Array]) -> Graph:
    """Return the text encoder as its exporter leaves it: unrolled layers, weights as (outputs, inputs)."""
    layers = len({name.split(".")[1] for name in weights if name.startswith("layers.")})
    width = weights["pos_emb"].shape[1]
    pooler, scope = "coca/contrastive_txt_pooler/pool_attn", "coca/text_embedder/transformer"
    found: Arrays = {
        f"{scope}/softmax/emb_lookup/emb_var": weights["token_emb"],
        f"{scope}/position_emb/emb_var": weights["pos_emb"][None],
        # One that is larger than the table of tokens, and has the same word in its path.
        f"{scope}/mask/iota": np.ones((70, 30), np.float32),
        f"{pooler}/dot_attn/qk_einsum": weights["pooler.query"][None, :, None],
        **_norm(f"{scope}/exit_stack/ln", weights, "final_ln"), **_norm(f"{pooler}_ln", weights, "pooler.ln"),
        **_projection(f"{pooler}/post", weights, "pooler.post", width),
    }  # fmt: skip
    for part in ("key", "value"):
        found |= _heads(f"{pooler}/{part}", weights, f"pooler.{part}")
    for layer in range(layers):
        own, path = f"layers.{layer}.", f"{scope}/x_layers_{layer}"
        attention = f"{path}/self_attention"
        found |= _heads(
            f"{attention}/query", weights, f"{own}q", "dot_attn/_scale_query/mul", "dot_attn/_scale_query/mul"
        )
        # The values read what the keys read, so that both names are on the key's weight.
        found |= _heads(f"{attention}/key", weights, f"{own}k", f"einsum;{attention}/value/einsum")
        found |= _heads(f"{attention}/value", weights, f"{own}v")
        found |= _projection(f"{attention}/post", weights, f"{own}post", width)
        found |= _norm(f"{path}/layer_norm", weights, f"{own}ln1")
        found |= _norm(f"{path}/ff_layer/layer_norm", weights, f"{own}ln2")
        for number in (1, 2):
            found[f"{path}/ff_layer/ffn_layer{number}/linear/dot"] = weights[f"{own}ffn{number}.kernel"].T
            found[f"{path}/ff_layer/ffn_layer{number}/bias/add"] = weights[f"{own}ffn{number}.bias"]
    return Graph(found)


def mapper_graphs(weights: Mapping[str, Array]) -> list[Graph]:
    """Return the graphs of the mapper: the outer one, the loop's condition and its body with stacked weights."""
    outer = {
        "arith.constant": np.zeros((1, 1, 2), np.float32),
        "arith.constant1;mapper/concatenate": weights["context"][None, None],
        "mapper/input_projection/dot": weights["input_proj.kernel"].T,
        "mapper/input_projection/add": weights["input_proj.bias"],
        "mapper/output_projection/dot": weights["output_proj.kernel"].T,
        "mapper/output_projection/add": weights["output_proj.bias"],
    }  # fmt: skip
    layers = len({name.split(".")[1] for name in weights if name.startswith("layers.")})
    body = {
        f"jax2tf_arg_{2 + k}/read": np.stack([weights[f"layers.{layer}.{name}"] for layer in range(layers)])
        for k, name in enumerate(MAPPER_ARGUMENTS)
    }
    return [Graph(outer), Graph({}), Graph(body)]


def quantizer_graph(books: Array) -> Graph:
    """Return the quantizer: a product with each codebook, and a table for all but the last."""
    constants: Arrays = {}
    operations: list[tuple[int, tuple[str, ...]]] = []
    for stage, book in enumerate(books):
        constants[f"#{stage} dot_general"] = -2 * book
        constants[f"#{stage} reduce_sum"] = np.square(book).sum(axis=1)
        operations.append((FULLY_CONNECTED, ("", f"#{stage} dot_general", f"#{stage} reduce_sum")))
        if stage + 1 < len(books):
            constants[f"#{stage} gather"] = book
            operations.append((GATHER, (f"#{stage} gather", "")))
    return Graph(constants, operations)


def vocabulary(pieces: tuple[str, ...] = PIECES, **settings: int) -> bytes:
    """Return a SentencePiece model of unigrams, longer pieces more probable."""
    listed = b"".join(bytes_field(1, _piece(piece)) for piece in pieces)
    training = number_field(3, settings.get("model_type", 1)) + number_field(35, settings.get("byte_fallback", 0))
    normalizer = bytes_field(1, b"identity") + number_field(3, settings.get("add_dummy_prefix", 1))
    return listed + bytes_field(2, training) + bytes_field(3, normalizer)


def write_safetensors(path: Path, weights: Mapping[str, Array], dtype: str = "F32") -> Path:
    """Write arrays as F32, F16 or BF16."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    end = 0
    for name, array in sorted(weights.items()):
        parts.append(np.ascontiguousarray(array).astype(KINDS[dtype]).tobytes())
        start, end = end, end + len(parts[-1])
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join((len(text).to_bytes(8, "little"), text, *parts)))
    return path


def _weights(name: str) -> Arrays:
    return {key[2:]: array for key, array in magenta_arrays(f"musiccoca_tiny/{name}").items() if key.startswith("w:")}


def _heads(path: str, weights: Mapping[str, Array], own: str, weight: str = "einsum", bias: str = "add") -> Arrays:
    kernel = weights[f"{own}.kernel"]
    # Two constants of one name are told apart by a number that the writer drops.
    return {
        f"#0 {path}/{weight}": kernel.reshape(len(kernel), -1).T,
        f"#1 {path}/{bias}": weights[f"{own}.bias"].reshape(-1),
    }


def _projection(path: str, weights: Mapping[str, Array], own: str, width: int) -> Arrays:
    return {f"{path}/einsum": weights[f"{own}.kernel"].reshape(width, -1), f"{path}/add": weights[f"{own}.bias"]}


def _norm(path: str, weights: Mapping[str, Array], own: str) -> Arrays:
    return {
        f"{path}/broadcast_in_dim1": weights[f"{own}.scale"][None, None],
        f"{path}/broadcast_in_dim": weights[f"{own}.bias"][None, None],
    }


def _piece(piece: str) -> bytes:
    kind = 2 if piece == UNKNOWN else 3 if piece in CONTROLS else 1
    score = 0.0 if kind != 1 else -10.0 + len(piece)
    return bytes_field(1, piece.encode()) + float_field(2, score) + number_field(3, kind)
