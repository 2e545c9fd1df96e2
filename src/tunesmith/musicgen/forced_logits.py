"""Forced logits: what the decoder graphs of a folder score after given codes, all prompts in one run.

Only the last position of each row has logits, but every position before it had its part in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.chroma import silent_chroma
from tunesmith.musicgen.conditioning import join_prefix
from tunesmith.musicgen.kv_cache import KVCache
from tunesmith.musicgen.model_folder import CHROMA_PROJECTION, CROSS_ATTENTION, DECODER, EMBEDDINGS
from tunesmith.musicgen.runner import Codes, Logits, States
from tunesmith.neural.reference_graph import OBSERVED
from tunesmith.neural.sessions import LazySession, SessionOptions, open_session

Array = NDArray[np.float32]
Inputs = dict[str, NDArray[np.float32] | NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class ForcedRows:
    """The rows of a run: the text states (tokens, hidden) of each, and its delayed codes (rows, codebooks, positions).

    ``folder`` is the model's, with the tables of its embeddings.
    """

    folder: Path
    architecture: Architecture
    texts: tuple[States, ...]
    codes: Codes

    def logits(self, graphs: Path, options: SessionOptions) -> tuple[Logits, dict[str, Array]]:
        """Return the logits (rows, codebooks, size) of the graphs in a folder, and the inputs of observed layers.

        Raises ModelFileError if a logit is NaN or infinite.
        """
        cross, observed = self._cross(graphs, options)
        decoder = open_session(graphs / DECODER, options)
        seen = [output.name for output in decoder.get_outputs() if output.name.startswith(OBSERVED)]
        logits, *found = decoder.run(["logits", *seen], self._inputs(cross))
        if not np.isfinite(logits).all():
            raise ModelFileError(DECODER, "its logits have NaN or infinite numbers")
        return logits, observed | dict(zip(seen, found, strict=True))

    def _cross(self, graphs: Path, options: SessionOptions) -> tuple[list[Array | None], dict[str, Array]]:
        """Return each text's keys and values for cross-attention; None for a model that has a prefix instead."""
        if self.architecture.chroma is not None:
            return [None] * len(self.texts), {}
        session = LazySession(graphs / CROSS_ATTENTION, options, keep=True)
        results = [session.run_all({"states": states}) for states in self.texts]
        names = [name for name in results[0] if name.startswith(OBSERVED)]
        observed = {name: np.concatenate([result[name] for result in results]) for name in names}
        return [result["keys_and_values"] for result in results], observed

    def _inputs(self, cross: list[Array | None]) -> Inputs:
        states = np.stack([self._states(text, codes) for text, codes in zip(self.texts, self.codes, strict=True)])
        rows, positions = states.shape[:2]
        memory, shape = KVCache(self.architecture, rows), self.architecture.decoder
        for row, keys_and_values in enumerate(cross):
            memory.open(row, keys_and_values, positions)
        # Nothing was there before, so one block of zeros serves every layer.
        empty = np.zeros((rows, shape.num_heads, positions, shape.head_size), np.float32)
        return {
            "states": states + memory.positions[:positions],
            # GroupQueryAttention counts the length after the new positions, minus one.
            "lengths": np.full(rows, positions - 1, np.int32),
            "longest": np.array([positions], np.int32),
            **memory.cross_inputs(slice(0, rows), positions),
            **{name: empty for name, _ in memory.caches(slice(0, rows))},
        }

    def _states(self, text: States, codes: Codes) -> States:
        """Return the states (positions, hidden) of one row: the prefix of a melody model, then the codes."""
        tables = np.load(self.folder / EMBEDDINGS, mmap_mode="r")
        states: States = tables[np.arange(len(codes)), codes.T].sum(axis=-2)
        if self.architecture.chroma is None:
            return states
        with np.load(self.folder / CHROMA_PROJECTION) as projection:
            chroma = silent_chroma(self.architecture.chroma) @ projection["weight"].T + projection["bias"]
        longest = max(len(one) for one in self.texts)
        return np.concatenate([join_prefix(chroma, text, longest), states])
