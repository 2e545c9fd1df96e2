"""StyleEncoder: prompts and their weights to the twelve style codes of a stream."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest
from tunesmith.magenta_rt.conditioning import NUM_STYLE_LEVELS
from tunesmith.magenta_rt.model_folder import EMBEDDING, STYLE_TABLES, TEXT_ENCODER, TOKENIZER, read_architecture
from tunesmith.magenta_rt.style.mapper import Mapper
from tunesmith.magenta_rt.style.prompt_tokens import StyleTokenizer
from tunesmith.magenta_rt.style.quantizer import codebook_name, quantize_style
from tunesmith.neural.gpu_weights import read_gpu_weights
from tunesmith.neural.graph_chain import GraphChain
from tunesmith.neural.malloc_trim import release_free_memory
from tunesmith.neural.sessions import SessionOptions
from tunesmith.neural.t5_tokenizer import TextTokens

Array = NDArray[np.float32]

SEEDS = 2**32
"""The seeds that the noise of the mapper has."""
KEPT_EMBEDDINGS = 64
"""Embeddings kept for a stream whose blend moves while its prompts stay: 3 kB each."""


class StyleEncoder:
    """The style encoder of a model folder; it may be used from several threads.

    No graph stays open from one prompt to the next. Raises ModelFileError if a file is missing or damaged.
    """

    def __init__(self, folder: Path, options: SessionOptions = SessionOptions()) -> None:  # noqa: B008
        architecture = read_architecture(folder)
        self._tokenizer = StyleTokenizer(
            folder / TOKENIZER, architecture.prompt_vocabulary_size, architecture.max_prompt_tokens
        )
        self._text_encoder = GraphChain(folder, TEXT_ENCODER, EMBEDDING, options)
        self._tables = read_gpu_weights(folder / STYLE_TABLES)
        self._mapper = Mapper(folder, options) if architecture.has_mapper else None
        self._embeddings: OrderedDict[tuple[str, int], Array] = OrderedDict()
        self._encoding, self._changing = threading.Lock(), threading.Lock()

    def encode(self, prompts: Sequence[tuple[str, float]], seed: int) -> tuple[int, ...]:
        """Return the twelve codes of a blend of prompts, each with a weight of 0 or more.

        ``seed`` chooses one interpretation of the words. Raises InvalidRequest for weights that are no numbers, or not
        above zero together.
        """
        shares = blend_shares([weight for _, weight in prompts])
        mixed = sum(
            share * self.embed(prompt, seed) for (prompt, _), share in zip(prompts, shares, strict=True) if share
        )
        codebooks = (self._tables[codebook_name(level)] for level in range(NUM_STYLE_LEVELS))
        return quantize_style(np.asarray(mixed, np.float32), codebooks)

    def embed(self, prompt: str, seed: int) -> Array:
        """Return the embedding (width,) of a prompt, mapped to that of a recording if the model has a mapper."""
        key = (prompt, seed % SEEDS)
        if (kept := self._kept(key)) is not None:
            return kept
        # One at a time: several at once would take no less time, and the memory of each.
        with self._encoding:
            if (kept := self._kept(key)) is not None:
                return kept
            embedding = self._embed(*key)
            with self._changing:
                self._embeddings[key] = embedding
                if len(self._embeddings) > KEPT_EMBEDDINGS:
                    self._embeddings.popitem(last=False)
            return embedding

    def _kept(self, key: tuple[str, int]) -> Array | None:
        with self._changing:
            if key in self._embeddings:
                self._embeddings.move_to_end(key)
            return self._embeddings.get(key)

    def _embed(self, prompt: str, seed: int) -> Array:
        ids = np.array(self.tokens(prompt).ids, np.int64)
        embedding = self._text_encoder.run({"token_ids": ids})
        if self._mapper is not None:
            embedding = self._mapper.map(embedding, seed)
        release_free_memory()
        return embedding

    def tokens(self, prompt: str) -> TextTokens:
        """Return the tokens of a prompt, and how many of them did not fit."""
        return self._tokenizer.encode(prompt)


def blend_shares(weights: Sequence[float]) -> list[np.float32]:
    """Return the weights of a blend as shares of 1. Raises InvalidRequest, which names the weight."""
    for weight in weights:
        is_number = isinstance(weight, (int, float)) and not isinstance(weight, bool) and math.isfinite(weight)
        if not is_number or weight < 0:
            raise InvalidRequest("blend", f"must be a number of 0 or more, got {weight!r}")
    total = math.fsum(weights)
    if not 0 < total < math.inf:
        raise InvalidRequest("blend", f"the weights of {len(weights)} prompts must have a sum above 0, got {total:g}")
    return [np.float32(weight / total) for weight in weights]
