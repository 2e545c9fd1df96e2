"""MusicCoCa's mapper and quantizer from their TFLite files.

The layers of the mapper are a loop: the weights of all layers are stacked in numbered arguments of the loop's body.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.checkpoint.tflite_file import Subgraph, read_tflite
from tunesmith.magenta_rt.conditioning import NUM_STYLE_LEVELS
from tunesmith.magenta_rt.style.shapes import MapperShape
from tunesmith.neural.checkpoint.tensors import RearrangedTensor, StoredTensor, Tensor

ARGUMENTS = {
    "cond1.bias": 2, "cond1.weight": 3, "norm1.scale": 4, "qkv": 5, "sink_key": 6, "sink_value": 7, "post": 8,
    "cond2.bias": 9, "cond2.weight": 10, "ffn1.bias": 11, "ffn1.weight": 12, "ffn2.bias": 13, "ffn2.weight": 14,
    "norm2.scale": 15,
}  # fmt: skip
"""The argument of the loop with a weight of every layer."""
CONTEXT, INPUT, OUTPUT = "arith.constant1$", "input_projection", "output_projection"
# The stored squared lengths show whether the codebook is read rightly.
LENGTH_TOLERANCE = 1e-3


def read_mapper(path: Path, text_width: int) -> tuple[MapperShape, dict[str, Tensor]]:
    """Return the shape of the mapper and its tensors: those of ``MapperShape.layer_shapes`` after ``layers.N.``.

    ``context`` (context,), ``input.weight`` (inputs, tokens x width), ``output.weight`` (tokens x width, outputs) and
    their biases are its other tensors. Raises ModelFileError, which names what is wrong.
    """
    graphs = read_tflite(path)
    main, bodies = graphs[0], [graph for graph in graphs if graph.holds(_argument("qkv"))]
    if not bodies:
        raise ModelFileError(path.name, f"{_argument('qkv')} is in none of its {len(graphs)} graphs")
    # Behind the outer graph and the loop's condition, where these have the same constants.
    body = bodies[-1]
    shape = _read_shape(main, body, text_width)
    inner = shape.num_tokens * shape.width
    tensors: dict[str, Tensor] = {
        "context": RearrangedTensor(main.find(CONTEXT, (1, 1, shape.context_size)), (shape.context_size,)),
        "input.weight": _transposed(main.find(INPUT, (inner, text_width))),
        "input.bias": main.find(INPUT, (inner,)),
        "output.weight": _transposed(main.find(OUTPUT, (text_width, inner))),
        "output.bias": main.find(OUTPUT, (text_width,)),
    }
    for name, size in shape.layer_shapes().items():
        stacked = body.find(_argument(name), (shape.num_layers, *size))
        for layer in range(shape.num_layers):
            tensors[f"layers.{layer}.{name}"] = RearrangedTensor(stacked.part(layer, shape.num_layers), size)
    return shape, tensors


def read_codebooks(path: Path, width: int) -> NDArray[np.float32]:
    """Return the codebooks of the quantizer: (12, codes, width).

    A stage multiplies by -2 times its codebook and adds the squared lengths of the codes, which check each other.
    Raises ModelFileError, which names the codebook.
    """
    graph = read_tflite(path)[0]
    if len(graph.products) != NUM_STYLE_LEVELS:
        raise ModelFileError(path.name, f"it must multiply by {NUM_STYLE_LEVELS} codebooks, got {len(graph.products)}")
    stages = [_codebook(graph, stage, width) for stage in range(NUM_STYLE_LEVELS)]
    for stage, codebook in enumerate(stages):
        if codebook.shape != stages[0].shape:
            raise ModelFileError(path.name, f"codebook {stage} must have shape {stages[0].shape}, got {codebook.shape}")
    return np.stack(stages)


def _codebook(graph: Subgraph, stage: int, width: int) -> NDArray[np.float32]:
    found = [graph.constants.get(number) for number in graph.products[stage][1:3]]
    if len(found) != 2 or found[0] is None or found[1] is None:
        raise ModelFileError(graph.file, f"codebook {stage}: its product has no weight and bias that are constants")
    weight, lengths = found[0].tensor, found[1].tensor
    if len(weight.shape) != 2 or weight.shape[1] != width:
        raise ModelFileError(graph.file, f"codebook {stage} must have shape (codes, {width}), got {weight.shape}")
    codebook = np.float32(-0.5) * weight.read()
    squares = np.square(codebook, dtype=np.float64).sum(axis=1)
    if lengths.shape != squares.shape or not np.allclose(lengths.read(), squares, rtol=LENGTH_TOLERANCE, atol=1e-5):
        raise ModelFileError(graph.file, f"codebook {stage}: its bias is not the squared lengths of its codes")
    return codebook


def _transposed(tensor: StoredTensor) -> RearrangedTensor:
    return RearrangedTensor(tensor, (tensor.shape[1], tensor.shape[0]), (1, 0))


def _argument(name: str) -> str:
    return f"^jax2tf_arg_{ARGUMENTS[name]}/"


def _read_shape(main: Subgraph, body: Subgraph, text_width: int) -> MapperShape:
    num_layers, width, _, num_heads, head_size = body.shape_of(_argument("qkv"), 5)
    inner, _ = main.shape_of(INPUT, 2)
    if not width or inner % width:
        raise ModelFileError(main.file, f"{INPUT}: {inner} outputs are not tokens of {width} numbers")
    return MapperShape(
        width=width, num_tokens=inner // width, num_layers=num_layers, num_heads=num_heads, head_size=head_size,
        ffn_size=body.shape_of(_argument("ffn1.bias"), 2)[1], context_size=main.shape_of(CONTEXT, 3)[2],
        text_width=text_width,
    )  # fmt: skip
