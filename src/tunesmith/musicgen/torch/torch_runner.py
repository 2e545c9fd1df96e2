"""The model's arithmetic on torch: CUDA, MPS or CPU. On CUDA a step is a graph that is captured once.

CUDA graphs have fixed shapes, so there is one for every number of rows and every reach (the longest length, rounded
up). All buffers keep their addresses until a longer row is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Checkpoint
from tunesmith.musicgen.position_encoding import sinusoidal_positions
from tunesmith.musicgen.runner import Codes, Logits, States
from tunesmith.musicgen.torch.layers import DeviceSpec, RunBuffers, TorchDecoder
from tunesmith.musicgen.torch.torch_text_encoder import TextEncoder
from tunesmith.neural.torch.captured import captured
from tunesmith.neural.torch.device import torch

Device = Literal["cuda", "mps", "cpu"]
BUCKET = 256
"""The step by which capacity and reach grow, in positions."""
TEXT_BUCKET = 64


class TorchRunner:
    """A Runner over a checkpoint; see Runner for each method.

    ``dtype`` is the decoder's precision, by default bfloat16 on CUDA and float32 elsewhere. The text encoder is
    float32.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: Device = "cuda", *, dtype: torch.dtype | None = None, num_rows: int = 2
    ) -> None:
        # A step is bound by reading the weights, and bfloat16 halves their bytes.
        default = torch.bfloat16 if device == "cuda" else torch.float32
        self._place = DeviceSpec(torch.device(device), dtype or default)
        self._architecture, self._num_rows = checkpoint.architecture, num_rows
        self._decoder = TorchDecoder(checkpoint.architecture, checkpoint.weights, self._place)
        self._text_encoder = TextEncoder(checkpoint.architecture, checkpoint.weights, self._place.device)
        self._chroma: list[torch.Tensor] = []
        if checkpoint.architecture.chroma is not None:
            # The projection is tiny, so it stays in full precision.
            full = DeviceSpec(self._place.device, torch.float32)
            names = [f"audio_enc_to_dec_proj.{part}" for part in ("weight", "bias")]
            self._chroma = [full.put(checkpoint.weights, name) for name in names]
        self._lengths = np.zeros(num_rows, np.int64)
        self._limits = np.zeros(num_rows, np.int64)
        self._open: set[int] = set()
        self._release()

    @property
    def architecture(self) -> Architecture:
        """The sizes and rules of the model."""
        return self._architecture

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return self._num_rows

    @torch.inference_mode()
    def encode_text(self, token_ids: Sequence[int]) -> States:
        """Encode one text: (tokens, hidden)."""
        return np.asarray(self._text_encoder.encode(token_ids).cpu().numpy())

    @torch.inference_mode()
    def encode_chroma(self, chroma: NDArray[np.float32]) -> States:
        """Project a chromagram (frames, bins): (frames, hidden)."""
        weight, bias = self._chroma
        chroma_states = torch.from_numpy(chroma).to(weight)
        return np.asarray(torch.nn.functional.linear(chroma_states, weight, bias).cpu().numpy())

    @torch.inference_mode()
    def open_row(self, row: int, states: States | None, capacity: int) -> None:
        """Clear the row and let it attend to the states."""
        tokens = 0 if states is None else len(states)
        self._grow(capacity, tokens)
        self._open.add(row)
        self._lengths[row], self._limits[row] = 0, capacity
        # A row without text attends to one position of zeros, which adds nothing.
        self._texts[:, :, row] = 0
        self._text_lengths[row] = max(tokens, 1)
        if states is not None:
            given = torch.from_numpy(states).to(self._place.device, self._place.dtype)
            self._texts[:, :, row, :, :tokens] = self._decoder.text_keys_values(given)

    @torch.inference_mode()
    def extend_prefix(self, row: int, states: States) -> None:
        """Append positions given as states."""
        self._append(row, torch.from_numpy(states).to(self._place.device, self._place.dtype))

    @torch.inference_mode()
    def extend(self, row: int, codes: Codes) -> Logits:
        """Append codes (codebooks, positions) to one row; return the logits (codebooks, size)."""
        given = torch.from_numpy(np.ascontiguousarray(codes.T)).to(self._place.device)
        return np.asarray(self._append(row, self._decoder.embed(given)).cpu().numpy())

    @torch.inference_mode()
    def step(self, codes: Codes, advancing: NDArray[np.bool_]) -> Logits:
        """Append one position (rows, codebooks) to the first rows; return the logits (rows, codebooks, size)."""
        count = len(codes)
        lengths = self._lengths[:count]
        self._check_room(lengths[advancing] + 1, self._limits[:count][advancing])
        # A rounded reach keeps the number of captured graphs small.
        reach = _rounded(int(lengths.max()) + 1, BUCKET)
        key = (count, reach)
        # Write into the static inputs: a captured graph reads fixed addresses.
        self._codes[:count] = torch.from_numpy(codes)
        self._step_lengths[:count] = torch.from_numpy(lengths)
        if key not in self._steps:
            self._steps[key] = self._make_step(count, reach)
        logits: Logits = self._steps[key]().cpu().numpy()
        lengths += advancing
        return logits

    def close_row(self, row: int) -> None:
        """Free the row; the last one frees the buffers."""
        self._open.discard(row)
        self._lengths[row] = 0
        if not self._open:
            self._release()

    @torch.inference_mode()
    def copy_row(self, source: int, target: int) -> None:
        """Copy the source row to the target row."""
        self._open.add(target)
        for buffer in (self._caches, self._texts):
            buffer[:, :, target] = buffer[:, :, source]
        self._text_lengths[target] = self._text_lengths[source].clone()
        self._lengths[target], self._limits[target] = self._lengths[source], self._limits[source]

    @torch.inference_mode()
    def _release(self) -> None:
        self._steps: dict[tuple[int, int], Callable[[], torch.Tensor]] = {}
        self._lengths[:] = 0
        self._caches, self._texts = self._buffer(0), self._buffer(0)
        self._positions = torch.zeros(0, self._architecture.decoder.hidden_size, device=self._place.device)
        device, books = self._place.device, self._architecture.decoder.num_codebooks
        self._text_lengths = torch.ones(self._num_rows, dtype=torch.int64, device=device)
        self._codes = torch.zeros(self._num_rows, books, dtype=torch.int64, device=device)
        self._step_lengths = torch.zeros(self._num_rows, dtype=torch.int64, device=device)

    def _buffer(self, positions: int) -> torch.Tensor:
        """Return zeros (layers, 2, rows, heads, positions, head)."""
        shape = self._architecture.decoder
        size = (shape.num_layers, 2, self._num_rows, shape.num_heads, positions, shape.head_size)
        return torch.zeros(size, device=self._place.device, dtype=self._place.dtype)

    def _grow(self, capacity: int, tokens: int) -> None:
        """Grow the buffers. One spare position is for what a full row that still takes part in steps writes."""
        wanted, texts = _rounded(capacity + 1, BUCKET), _rounded(max(tokens, 1), TEXT_BUCKET)
        if wanted > self._caches.shape[-2]:
            # The captured graphs point to the old buffers.
            self._steps.clear()
            self._caches = self._moved(self._caches, wanted)
            table = sinusoidal_positions(wanted, self._architecture.decoder.hidden_size)
            self._positions = torch.from_numpy(table).to(self._place.device, self._place.dtype)
        if texts > self._texts.shape[-2]:
            self._steps.clear()
            self._texts = self._moved(self._texts, texts)

    def _moved(self, old: torch.Tensor, positions: int) -> torch.Tensor:
        new = self._buffer(positions)
        new[..., : old.shape[-2], :] = old
        return new

    def _append(self, row: int, states: torch.Tensor) -> torch.Tensor:
        end = self._lengths[row : row + 1] + len(states)
        self._check_room(end, self._limits[row : row + 1])
        lengths = torch.from_numpy(self._lengths[row : row + 1]).to(self._place.device)
        logits = self._decoder.run(states[None], self._view(slice(row, row + 1), lengths, int(end[0])), self._positions)
        self._lengths[row] = end[0]
        return logits[0]

    def _view(self, rows: slice, lengths: torch.Tensor, reach: int) -> RunBuffers:
        text_lengths = self._text_lengths[rows]
        return RunBuffers(self._caches[:, :, rows], self._texts[:, :, rows], lengths, text_lengths, reach)

    def _make_step(self, count: int, reach: int) -> Callable[[], torch.Tensor]:
        """Return a function that runs one step on the static inputs; on CUDA it replays a graph."""
        view = self._view(slice(0, count), self._step_lengths[:count], reach)
        codes, positions = self._codes[:count], self._positions

        def run() -> torch.Tensor:
            return self._decoder.run(self._decoder.embed(codes)[:, None], view, positions)

        return captured(run) if self._place.device.type == "cuda" else run

    def _check_room(self, ends: NDArray[np.int64], limits: NDArray[np.int64]) -> None:
        if (ends > limits).any():
            raise ValueError(f"a row would grow to {int(ends.max())} positions; it was opened for {int(limits.min())}")


def _rounded(count: int, step: int) -> int:
    return -(-count // step) * step
