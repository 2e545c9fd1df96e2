"""Small architectures for tests that need sizes but no weights, and sessions that leave the cores to other tests."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.musicgen.architecture import (
    Architecture,
    ChromaShape,
    CodecShape,
    TransformerShape,
)
from tunesmith.neural.sessions import SessionOptions
from tunesmith.neural.t5 import T5Shape

ONE_THREAD = SessionOptions(num_threads=1, spinning=False)
"""For tests, which run side by side: threads that spin would take the cores from each other."""

TINY = Architecture(
    decoder=TransformerShape(
        hidden_size=128, num_layers=2, num_heads=2, ffn_size=512, num_codebooks=4, codebook_size=64
    ),
    text_encoder=T5Shape(hidden_size=32, num_layers=2, num_heads=2, head_size=16, ffn_size=64, vocabulary_size=128),
    codec=CodecShape(
        sample_rate=32_000, ratios=(8, 5, 4, 4), num_filters=4, latent_size=16, num_codebooks=4, codebook_size=64
    ),
    delays=(0, 1, 2, 3),
)
TINY_MELODY = replace(TINY, chroma=ChromaShape())
