"""A MusicGen checkpoint of real size with random weights, in Hugging Face's layout; speed does not depend on values."""

from __future__ import annotations

import json
import string
import sys
import warnings
from pathlib import Path

T5_VOCABULARY = 32_128
SIZES = {"small": (1024, 24, 16), "medium": (1536, 48, 24), "large": (2048, 48, 32)}  # hidden, layers, heads
DONE = "made.json"
WORDS = ("lofi", "hip", "hop", "with", "rain", "sounds", "90", "bp")


def make_checkpoint(folder: Path, size: str = "small") -> Path:
    """Write the checkpoint unless it is there already; return the folder."""
    if (folder / DONE).exists():
        return folder
    warnings.filterwarnings("ignore")
    import torch
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )

    hidden, layers, heads = SIZES[size]
    decoder = MusicgenDecoderConfig(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, ffn_dim=4 * hidden, num_codebooks=4
    )
    text = T5Config(
        vocab_size=T5_VOCABULARY, d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12, is_encoder_decoder=False
    )
    codec = EncodecConfig(
        sampling_rate=32_000, target_bandwidths=[2.2], upsampling_ratios=[8, 5, 4, 4], num_filters=64,
        hidden_size=128, codebook_dim=128, codebook_size=2048, use_causal_conv=False, use_conv_shortcut=False,
        normalize=False, audio_channels=1,
    )  # fmt: skip
    torch.manual_seed(0)
    config = MusicgenConfig(text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict())
    model = MusicgenForConditionalGeneration(config)
    for layer in model.audio_encoder.quantizer.layers:
        layer.codebook.embed.normal_()
    model.save_pretrained(folder)
    write_tokenizer(folder)
    (folder / DONE).write_text(json.dumps({"size": size}))
    return folder


def write_tokenizer(folder: Path) -> None:
    """Write a T5-like tokenizer of letters and the words of WORDS, which make 12 tokens as they do in T5's own."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import Unigram

    pieces = ["<pad>", "</s>", "<unk>", "▁", *string.printable.strip()]
    pieces += [f"▁{word}" for word in WORDS]
    tokenizer = Tokenizer(Unigram([(piece, -10.0 / len(piece)) for piece in pieces], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))


if __name__ == "__main__":
    make_checkpoint(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "small")
