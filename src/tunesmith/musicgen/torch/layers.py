"""The decoder in plain torch, with keys and values in preallocated buffers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.neural.torch.device import torch

STEM = "decoder.model.decoder."
EPSILON = 1e-5
functional = torch.nn.functional


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """The device and the precision of tensors."""

    device: torch.device
    dtype: torch.dtype

    def put(self, weights: Weights, *names: str) -> torch.Tensor:
        """Return these tensors joined along the first axis."""
        whole = np.concatenate([weights[name] for name in names])
        return torch.from_numpy(whole).to(self.device, self.dtype)


@dataclass(frozen=True, slots=True)
class Norm:
    """A layer norm with weight and bias."""

    weight: torch.Tensor
    bias: torch.Tensor

    @classmethod
    def read(cls, weights: Weights, name: str, place: DeviceSpec) -> Norm:
        """Read the norm of that name."""
        return cls(place.put(weights, f"{name}.weight"), place.put(weights, f"{name}.bias"))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize the last axis."""
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, EPSILON)


@dataclass(frozen=True, slots=True)
class CrossAttention:
    """The cross-attention of a layer, to the text."""

    norm: Norm
    query: torch.Tensor
    keys_values: torch.Tensor
    out: torch.Tensor


@dataclass(frozen=True, slots=True)
class TorchDecoderLayer:
    """The weights of one layer; ``cross`` is None if the text comes as a prefix."""

    norm: Norm
    qkv: torch.Tensor
    out: torch.Tensor
    cross: CrossAttention | None
    last_norm: Norm
    fc1: torch.Tensor
    fc2: torch.Tensor

    @classmethod
    def read(cls, weights: Weights, prefix: str, place: DeviceSpec, has_cross: bool) -> TorchDecoderLayer:
        """Read the layer whose tensor names begin with ``prefix``."""

        def put(part: str, *names: str) -> torch.Tensor:
            return place.put(weights, *(f"{prefix}{part}{name}.weight" for name in names))

        cross = None
        if has_cross:
            norm = Norm.read(weights, f"{prefix}encoder_attn_layer_norm", place)
            part = "encoder_attn."
            cross = CrossAttention(norm, put(part, "q_proj"), put(part, "k_proj", "v_proj"), put(part, "out_proj"))
        return cls(
            norm=Norm.read(weights, f"{prefix}self_attn_layer_norm", place),
            # Fused: one matrix product in place of three.
            qkv=put("self_attn.", "q_proj", "k_proj", "v_proj"),
            out=put("self_attn.", "out_proj"),
            cross=cross,
            last_norm=Norm.read(weights, f"{prefix}final_layer_norm", place),
            fc1=put("", "fc1"),
            fc2=put("", "fc2"),
        )


@dataclass(frozen=True, slots=True)
class RunBuffers:
    """The buffers that a run of some rows reads and writes; every tensor keeps its address from run to run.

    ``caches`` (layers, 2, rows, heads, capacity, head) and ``texts`` (same, text) are views of the runner's buffers,
    cut to these rows; ``reach`` is the number of cache positions that attention reads.
    """

    caches: torch.Tensor
    texts: torch.Tensor
    lengths: torch.Tensor
    text_lengths: torch.Tensor
    reach: int


class TorchDecoder:
    """The decoder's weights on a device."""

    def __init__(self, architecture: Architecture, weights: Weights, place: DeviceSpec) -> None:
        shape = architecture.decoder
        self.shape = shape
        books, has_cross = range(shape.num_codebooks), architecture.chroma is None
        self._embeddings = place.put(weights, *(f"{STEM}embed_tokens.{k}.weight" for k in books))
        # All codebooks share one table, one after the other: one lookup in place of one per codebook.
        self._offsets = torch.arange(shape.num_codebooks, device=place.device) * (shape.codebook_size + 1)
        self.layers = [
            TorchDecoderLayer.read(weights, f"{STEM}layers.{i}.", place, has_cross) for i in range(shape.num_layers)
        ]
        self._norm = Norm.read(weights, f"{STEM}layer_norm", place)
        self._heads = place.put(weights, *(f"decoder.lm_heads.{k}.weight" for k in books))

    def embed(self, codes: torch.Tensor) -> torch.Tensor:
        """Sum the embeddings of all codebooks: (…, codebooks) -> (…, hidden)."""
        return functional.embedding(codes + self._offsets, self._embeddings).sum(dim=-2)

    def text_keys_values(self, states: torch.Tensor) -> torch.Tensor:
        """Return every layer's keys and values of a text (tokens, hidden): (layers, 2, heads, tokens, head)."""
        shape = self.shape
        parts = [
            functional.linear(states, layer.cross.keys_values).view(-1, 2, shape.num_heads, shape.head_size)
            for layer in self.layers
            if layer.cross is not None
        ]
        return torch.stack(parts).permute(0, 2, 3, 1, 4)

    def run(self, states: torch.Tensor, view: RunBuffers, positions: torch.Tensor) -> torch.Tensor:
        """Append states (rows, new, hidden); return the last one's logits (rows, codebooks, size) in float32.

        ``positions`` (capacity, hidden) holds the position encodings; each state gets the one of its own position.
        """
        count, new, _ = states.shape
        places = view.lengths[:, None] + torch.arange(new, device=states.device)
        rows = torch.arange(count, device=states.device)[:, None]
        # The mask is causal and also hides what earlier occupants of a row left in the cache.
        seen = torch.arange(view.reach, device=states.device) <= places[:, None, :, None]
        mask = torch.arange(view.texts.shape[-2], device=states.device) < view.text_lengths[:, None, None, None]
        x = states + positions[places]
        for number, layer in enumerate(self.layers):
            x = x + self._listen_to_self(layer, x, view.caches[number], (rows, places, seen))
            if layer.cross is not None:
                x = x + self._listen_to_text(layer.cross, x, view.texts[number], mask)
            x = x + functional.linear(functional.gelu(functional.linear(layer.last_norm(x), layer.fc1)), layer.fc2)
        # Sampling happens in NumPy, which has no bfloat16.
        scores = functional.linear(self._norm(x[:, -1]), self._heads).float()
        return scores.view(count, self.shape.num_codebooks, self.shape.codebook_size)

    def _listen_to_self(
        self,
        layer: TorchDecoderLayer,
        x: torch.Tensor,
        cache: torch.Tensor,
        where: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        rows, places, seen = where
        shape = self.shape
        qkv = functional.linear(layer.norm(x), layer.qkv).view(*x.shape[:2], 3, shape.num_heads, shape.head_size)
        query, key, value = qkv.unbind(2)
        cache[0][rows, :, places] = key
        cache[1][rows, :, places] = value
        reach = seen.shape[-1]
        return self._attend(query, cache[:, :, :, :reach], seen, layer.out)

    def _listen_to_text(
        self, cross: CrossAttention, x: torch.Tensor, text: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        query = functional.linear(cross.norm(x), cross.query)
        query = query.view(*x.shape[:2], self.shape.num_heads, self.shape.head_size)
        return self._attend(query, text, mask, cross.out)

    def _attend(
        self, query: torch.Tensor, keys_values: torch.Tensor, mask: torch.Tensor, out: torch.Tensor
    ) -> torch.Tensor:
        attended = functional.scaled_dot_product_attention(
            query.transpose(1, 2), keys_values[0], keys_values[1], attn_mask=mask
        )
        return functional.linear(attended.transpose(1, 2).flatten(2), out)
