"""T5's encoder in plain torch, one text at a time, in float32."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.musicgen.graph.text_encoder import PROJECTION
from tunesmith.musicgen.torch.layers import DeviceSpec
from tunesmith.neural.t5 import EMBEDDING, PREFIX, relative_buckets
from tunesmith.neural.torch.device import torch

functional = torch.nn.functional


class TextEncoder:
    """A T5 encoder with the projection to the decoder's width."""

    def __init__(self, architecture: Architecture, weights: Weights, device: torch.device) -> None:
        self._shape = shape = architecture.text_encoder
        self._place = DeviceSpec(device, torch.float32)
        names = ["block.0.layer.0.SelfAttention.relative_attention_bias", "final_layer_norm"]
        for layer in range(shape.num_layers):
            block = f"block.{layer}.layer."
            forward = ["wi_0", "wi_1", "wo"] if shape.gated else ["wi", "wo"]
            names += [f"{block}0.SelfAttention.{name}" for name in "qkvo"]
            names += [f"{block}1.DenseReluDense.{name}" for name in forward]
            names += [f"{block}{part}.layer_norm" for part in (0, 1)]
        self._weights = {name: self._place.put(weights, f"{PREFIX}{name}.weight") for name in names}
        self._embedding = self._place.put(weights, EMBEDDING)
        self._buckets = torch.from_numpy(relative_buckets(shape)).to(device)
        self._projection: tuple[torch.Tensor, torch.Tensor] | None = None
        # A checkpoint may lack the projection only if the two widths are equal.
        if f"{PROJECTION}.weight" in weights or shape.hidden_size != architecture.decoder.hidden_size:
            put = self._place.put
            self._projection = (put(weights, f"{PROJECTION}.weight"), put(weights, f"{PROJECTION}.bias"))

    def encode(self, token_ids: Sequence[int]) -> torch.Tensor:
        """Encode one text; return (tokens, hidden)."""
        tokens = torch.tensor(token_ids, dtype=torch.int64, device=self._place.device)
        x = functional.embedding(tokens, self._embedding)
        bias = self._distance_bias(len(tokens))
        for layer in range(self._shape.num_layers):
            x = x + self._attention(f"block.{layer}.layer.0.", x, bias)
            x = x + self._feed_forward(f"block.{layer}.layer.1.", x)
        x = self._norm("final_layer_norm", x)
        return x if self._projection is None else functional.linear(x, *self._projection)

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + self._shape.epsilon)
        return x * scale * self._weights[name]

    def _distance_bias(self, count: int) -> torch.Tensor:
        farthest = self._shape.relative_max_distance
        places = torch.arange(count, device=self._place.device)
        distances = (places[None] - places[:, None]).clamp(-farthest, farthest)
        by_bucket = self._weights["block.0.layer.0.SelfAttention.relative_attention_bias"]
        return by_bucket[self._buckets[distances + farthest]].permute(2, 0, 1)

    def _attention(self, prefix: str, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        normed = self._norm(f"{prefix}layer_norm", x)
        query, key, value = (
            functional.linear(normed, self._weights[f"{prefix}SelfAttention.{name}"])
            .view(len(x), self._shape.num_heads, self._shape.head_size)
            .transpose(0, 1)
            for name in "qkv"
        )
        # T5 does not scale its attention scores; the scale is in the weights.
        attended = torch.softmax(query @ key.transpose(1, 2) + bias, dim=-1) @ value
        return functional.linear(attended.transpose(0, 1).flatten(1), self._weights[f"{prefix}SelfAttention.o"])

    def _feed_forward(self, prefix: str, x: torch.Tensor) -> torch.Tensor:
        normed, stem = self._norm(f"{prefix}layer_norm", x), f"{prefix}DenseReluDense."
        first = functional.linear(normed, self._weights[f"{stem}{'wi_0' if self._shape.gated else 'wi'}"])
        active = self._activation(first)
        if self._shape.gated:
            active = active * functional.linear(normed, self._weights[f"{stem}wi_1"])
        return functional.linear(active, self._weights[f"{stem}wo"])

    def _activation(self, x: torch.Tensor) -> torch.Tensor:
        if self._shape.activation == "relu":
            return functional.relu(x)
        return functional.gelu(x, approximate="tanh" if self._shape.activation == "gelu_new" else "none")
