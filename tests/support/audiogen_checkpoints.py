"""A tiny random AudioGen: its repository in audiocraft's layout, and the transformers model with the same weights.

It has the proportions of the published one: 16 kHz, hop 320, four codebooks, zero padding, a window of 10 s, and a text
encoder that is larger than MusicGen's, named ``t5-large``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from checkpoints import CODEBOOK_SIZE, VOCABULARY_SIZE, make_musicgen, write_audiocraft, write_companions
from shapes import TINY

AUDIOGEN = "facebook/audiogen-medium"
TEXT_ENCODER = "t5-large"
SAMPLE_RATE, HOP, WINDOW_SECONDS = 16_000, 320, 10.0
TINY_AUDIOGEN = replace(
    TINY, codec=replace(TINY.codec, sample_rate=SAMPLE_RATE, ratios=(8, 5, 4, 2), pad_mode="constant"),
    window_seconds=WINDOW_SECONDS,
)  # fmt: skip


def make_audiogen(seed: int = 0) -> Any:
    """Return the transformers model, in eval mode."""
    from transformers import EncodecConfig, T5Config

    text = T5Config(
        vocab_size=VOCABULARY_SIZE, d_model=64, d_kv=16, d_ff=128, num_layers=3, num_heads=4, decoder_start_token_id=0
    )
    codec = EncodecConfig(
        sampling_rate=SAMPLE_RATE, upsampling_ratios=[8, 5, 4, 2], num_filters=4, hidden_size=16, codebook_dim=16,
        codebook_size=CODEBOOK_SIZE, target_bandwidths=[1.2], use_causal_conv=False, use_conv_shortcut=False,
        num_lstm_layers=2, pad_mode="constant",
    )  # fmt: skip
    return make_musicgen(seed=seed, text=text, codec=codec)


def write_audiogen(folder: Path, model: Any) -> dict[str, Path]:
    """Write the repositories of the model; return their folders by hub id."""
    main = folder / "audiogen"
    write_audiocraft(
        main, model, half=True, sample_rate=SAMPLE_RATE, text_repository=TEXT_ENCODER, window_seconds=WINDOW_SECONDS
    )
    companions = write_companions(folder / "companions", model)
    return {AUDIOGEN: main, TEXT_ENCODER: next(iter(companions.values()))}
