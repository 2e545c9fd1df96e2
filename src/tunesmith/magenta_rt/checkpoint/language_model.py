"""The language model and the codec from their safetensors file, whose sizes are read from the shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.architecture import (
    MAGENTA_RT_2_SMALL,
    RESERVED_IDS,
    MagentaArchitecture,
    SpectroStreamShape,
    StackShape,
)
from tunesmith.magenta_rt.checkpoint.file_names import USE_INSTEAD
from tunesmith.magenta_rt.checkpoint.published_shapes import published_shapes
from tunesmith.magenta_rt.conditioning import NUM_STYLE_LEVELS, RESERVED, STYLE_PROJECTION, STYLE_TABLE
from tunesmith.magenta_rt.graph.names import CODEBOOKS, CODEC_DECODER, DEPTH_STACK, EMBEDDINGS, TEMPORAL_STACK
from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensor_shapes import select
from tunesmith.neural.checkpoint.tensors import StoredTensor, Tensor
from tunesmith.neural.checkpoint.weight_files import check_is_there

KINDS = ("float32", "bfloat16", "float16")
"""The number types in which the weights may be stored."""
NOT_OURS = "is missing: this is not a checkpoint of Magenta RealTime 2"
BASE_WIDTH = 3072
"""The width of ``mrt2_base``, which is too large for a processor."""


def read_language_model(path: Path) -> tuple[MagentaArchitecture, dict[str, Tensor]]:
    """Return the sizes of the model, and its tensors by their published names, without their data.

    The file does not state how many frames the model sees: it is that of ``mrt2_small``. Raises ModelFileError, which
    names the tensor, if one is missing, or has another shape or number type.
    """
    check_is_there(path)
    tensors = read_safetensors(path)
    stored = _Stored(path.name, tensors)
    architecture, levels = stored.architecture(), stored.shape(CODEBOOKS, 3)[0]
    if levels < architecture.num_codebooks:
        problem = f"{CODEBOOKS}: must have at least {architecture.num_codebooks} levels, got {levels}"
        raise ModelFileError(path.name, problem)
    chosen = select(tensors, published_shapes(architecture, levels), path.name)
    for name in chosen:
        if tensors[name].kind not in KINDS:
            raise ModelFileError(path.name, f"{name} must be {', '.join(KINDS)}, got {tensors[name].kind}")
    return architecture, chosen


@dataclass(frozen=True, slots=True)
class _Stored:
    """The tensors of the file, which its sizes are read from."""

    file: str
    tensors: Mapping[str, StoredTensor]

    def architecture(self) -> MagentaArchitecture:
        temporal, depth = self._stack(TEMPORAL_STACK), self._stack(DEPTH_STACK)
        if temporal.hidden_size >= BASE_WIDTH:
            wide = f"its layers are {temporal.hidden_size} numbers wide"
            raise ModelFileError(self.file, f"{wide}: mrt2_base is too large for a processor: {USE_INSTEAD}")
        _, codebook_size, latent_size = self.shape(CODEBOOKS, 3)
        ids, style_width = self.shape(STYLE_TABLE, 2)
        return MagentaArchitecture(
            temporal=temporal, depth=depth, codec=self._codec(latent_size),
            source_width=self.shape(STYLE_PROJECTION, 2)[1], window_frames=MAGENTA_RT_2_SMALL.window_frames,
            num_codebooks=self._parts(EMBEDDINGS, self.shape(EMBEDDINGS, 2)[0] - RESERVED_IDS, codebook_size),
            codebook_size=codebook_size, style_width=style_width, num_style_codebooks=NUM_STYLE_LEVELS,
            style_codebook_size=self._parts(STYLE_TABLE, ids, NUM_STYLE_LEVELS) - RESERVED,
        )  # fmt: skip

    def shape(self, name: str, axes: int) -> tuple[int, ...]:
        """Return the shape of a tensor. Raises ModelFileError if it is missing, or has another number of axes."""
        if name not in self.tensors:
            raise ModelFileError(self.file, f"{name} {NOT_OURS}")
        shape = self.tensors[name].shape
        if len(shape) != axes or not all(shape):
            raise ModelFileError(self.file, f"{name} must have {axes} axes, got shape {shape}")
        return shape

    def _stack(self, prefix: str) -> StackShape:
        pattern = re.compile(re.escape(prefix) + r"/x_layers_(\d{1,4})/")
        layers = {int(found[1]) for found in map(pattern.match, self.tensors) if found}
        if not layers:
            raise ModelFileError(self.file, f"{prefix}/x_layers_0 {NOT_OURS}")
        if layers != set(range(len(layers))):
            raise ModelFileError(self.file, f"{prefix}/x_layers must be numbered from 0 on, got {sorted(layers)}")
        first = f"{prefix}/x_layers_0"
        hidden, num_heads, head_size = self.shape(f"{first}/self_attention/attention/query_projection/kernel", 3)
        ffn_size = self.shape(f"{first}/ffn/ffn_layer1/kernel", 2)[1]
        return StackShape(hidden, len(layers), num_heads, head_size, ffn_size)

    def _codec(self, latent_size: int) -> SpectroStreamShape:
        base = self.shape(f"{CODEC_DECODER}/input_layers_residual_unit/conv2d_3x3/conv/kernel", 4)[3]
        outputs = self.shape(f"{CODEC_DECODER}/input_layer/conv1x1_first/conv/kernel", 4)[3]
        units = range(len(MAGENTA_RT_2_SMALL.codec.channels))
        return SpectroStreamShape(
            latent_size=latent_size, base_channels=base,
            base_bins=self._parts(f"{CODEC_DECODER}/input_layer/conv1x1_first/conv/kernel", outputs, base),
            channels=tuple(self.shape(f"{CODEC_DECODER}/decoder_{k}/conv2d_3x3/conv/kernel", 4)[3] for k in units),
        )  # fmt: skip

    def _parts(self, name: str, size: int, part: int) -> int:
        if size <= 0 or size % part:
            raise ModelFileError(self.file, f"{name}: {size} is no multiple of {part}")
        return size // part
