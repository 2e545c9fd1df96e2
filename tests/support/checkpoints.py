"""Tiny random checkpoints of the MusicGen family, written to disk as they are published.

Every writer is fully random (norms, biases and codebooks too), so that no part can be left out unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from audiocraft_twin import CODEC_REPOSITORY, TEXT_REPOSITORY
from audiocraft_twin import write_audiocraft as write_audiocraft
from run_folder import copy_of_shared

if TYPE_CHECKING:
    import torch

Kind = Literal["text", "melody"]
Storage = Literal["safetensors", "bin", "sharded-safetensors", "sharded-bin"]
Spelling = Literal["new", "old"]
Tensors = dict[str, "torch.Tensor"]

CODEBOOK_SIZE = 64
VOCABULARY_SIZE = 128
NEW_NORM = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
WORDS = ("a", "the", "of", "with", "and", "piano", "music", "song", "drum", "rock", "slow", "fast", "happy", "sad")


def write_musicgen(
    folder: Path,
    *,
    kind: Kind = "text",
    audio_channels: int = 1,
    storage: Storage = "safetensors",
    weight_norm: Spelling = "new",
    seed: int = 0,
) -> Any:
    """Write a checkpoint in Hugging Face's layout; return its transformers model, in eval mode.

    ``weight_norm`` is the spelling of the codec's weights: "old" is ``weight_g`` and ``weight_v``.
    """
    model = make_musicgen(kind=kind, audio_channels=audio_channels, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    _write_json(folder / "preprocessor_config.json", _preprocessor(kind, audio_channels))
    write_tokenizer(folder)
    write_tensors(folder, _published(model.state_dict(), weight_norm), storage)
    return model


def copy_musicgen(folder: Path, *, kind: Kind = "text") -> None:
    """Write the files of write_musicgen, for those who need no model: importing transformers takes three seconds."""
    copy_of_shared(f"musicgen-{kind}", folder, lambda made: write_musicgen(made, kind=kind))


def make_musicgen(
    *, kind: Kind = "text", audio_channels: int = 1, seed: int = 0, text: Any = None, codec: Any = None
) -> Any:
    """Return a tiny random transformers model in eval mode: 2 layers, 2 heads of 64, 50 frames a second.

    ``text`` and ``codec`` are configurations that replace those of the tiny T5 and EnCodec.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    sizes: dict[str, Any] = {
        "vocab_size": CODEBOOK_SIZE, "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
        "ffn_dim": 512, "num_codebooks": 4 * audio_channels, "audio_channels": audio_channels,
        "pad_token_id": CODEBOOK_SIZE, "bos_token_id": CODEBOOK_SIZE,
    }  # fmt: skip
    if kind == "melody":
        decoder = transformers.MusicgenMelodyDecoderConfig(**sizes)
        whole: Any = transformers.MusicgenMelodyConfig
        model_class: Any = transformers.MusicgenMelodyForConditionalGeneration
    else:
        decoder = transformers.MusicgenDecoderConfig(**sizes)
        whole, model_class = transformers.MusicgenConfig, transformers.MusicgenForConditionalGeneration
    config = whole(text_encoder=text or text_config(), audio_encoder=codec or codec_config(), decoder=decoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config).eval()
        randomize(model)
    generation = model.generation_config
    generation.decoder_start_token_id = generation.pad_token_id = generation.bos_token_id = CODEBOOK_SIZE
    generation.max_length, generation.do_sample, generation.guidance_scale = 1500, True, 3.0
    return model


def text_config() -> Any:
    """Return the sizes of the tiny T5."""
    from transformers import T5Config

    return T5Config(
        vocab_size=VOCABULARY_SIZE, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0
    )


def codec_config() -> Any:
    """Return the sizes of the tiny EnCodec: 32 kHz, hop 640, 4 codebooks."""
    from transformers import EncodecConfig

    return EncodecConfig(
        sampling_rate=32000, upsampling_ratios=[8, 5, 4, 4], num_filters=4, hidden_size=16, codebook_dim=16,
        codebook_size=CODEBOOK_SIZE, target_bandwidths=[1.2], use_causal_conv=False, use_conv_shortcut=False,
        num_lstm_layers=2,
    )  # fmt: skip


def randomize(model: Any) -> None:
    """Fill every weight from torch's generator: hidden states are near 1, logits span ±3 and sound is near 0.3."""
    import torch

    with torch.no_grad():
        for name, tensor in model.named_parameters():
            tensor.copy_(_random_weight(name, tensor, model.config.text_encoder.d_kv))
        for name, tensor in model.named_parameters():
            if name.endswith("original0"):
                direction = model.get_parameter(name.replace("original0", "original1"))
                length = direction.flatten(1).norm(dim=1)
                loudness = 0.1 if name.startswith("audio_encoder.decoder.layers.15.") else 1.0
                tensor.copy_((loudness * length * (0.8 + 0.4 * torch.rand_like(length))).reshape(tensor.shape))
        for layer in model.audio_encoder.quantizer.layers:
            layer.codebook.embed.copy_(torch.randn_like(layer.codebook.embed))


def _random_weight(name: str, tensor: torch.Tensor, text_head_size: int) -> torch.Tensor:
    import torch

    values = torch.randn_like(tensor)
    if "norm" in name and not name.startswith("audio_encoder."):
        return values.mul(0.2).add(float(name.endswith("weight")))
    return values.mul(_spread(name, tensor.shape, text_head_size))


def _spread(name: str, shape: torch.Size, text_head_size: int) -> float:
    """Return the standard deviation that keeps signals at about unit size."""
    codec = name.startswith("audio_encoder.")
    if len(shape) == 1:
        return 0.1 if codec else 0.3
    if codec:
        return 1.4 / sqrt(shape[1:].numel())
    if "embed_tokens" in name or "shared" in name or "relative_attention_bias" in name:
        return 0.7
    gain = 1.5 if "lm_heads" in name else 1.0
    if name.startswith("text_encoder.") and ".q." in name:  # T5 does not scale its attention scores
        gain = 1 / sqrt(text_head_size)
    return gain / sqrt(shape[1])


def _published(state: Mapping[str, torch.Tensor], weight_norm: Spelling) -> Tensors:
    tensors = dict(state)
    if weight_norm == "old":
        for new, old in NEW_NORM.items():
            tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    return tensors


def write_tensors(folder: Path, tensors: Tensors, storage: Storage) -> None:
    """Write a state dict the way transformers does: in one file or, sharded, in two and an index."""
    safe = storage.endswith("safetensors")
    if safe:  # that format has no shared tensors: transformers writes only the first name
        tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith("encoder.embed_tokens.weight")}
    stem, suffix = ("model", "safetensors") if safe else ("pytorch_model", "bin")
    if not storage.startswith("sharded"):
        save_tensors(folder / f"{stem}.{suffix}", tensors)
        return
    names, half = list(tensors), len(tensors) // 2
    weight_map: dict[str, str] = {}
    for number, shard in enumerate((names[:half], names[half:]), start=1):
        file = f"{stem}-{number:05d}-of-00002.{suffix}"
        save_tensors(folder / file, {name: tensors[name] for name in shard})
        weight_map |= dict.fromkeys(shard, file)
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    _write_json(folder / f"{stem}.{suffix}.index.json", {"metadata": {"total_size": total}, "weight_map": weight_map})


def save_tensors(file: Path, tensors: Tensors) -> None:
    """Write one file, of the kind that its suffix says."""
    import safetensors.torch
    import torch

    if file.suffix == ".safetensors":
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        safetensors.torch.save_file(whole, file, metadata={"format": "pt"})
    else:
        torch.save(tensors, file)


def write_companions(folder: Path, model: Any, *, weight_norm: Spelling = "old") -> dict[str, Path]:
    """Write the repositories that ``write_audiocraft`` points to, the model's T5 and EnCodec; return their folders."""
    text, codec = folder / "t5", folder / "encodec"
    for place, part in ((text, model.text_encoder), (codec, model.audio_encoder)):
        place.mkdir(parents=True, exist_ok=True)
        part.config.save_pretrained(place)
        write_tensors(place, _published(part.state_dict(), weight_norm), "safetensors")
    write_tokenizer(text)
    return {TEXT_REPOSITORY: text, CODEC_REPOSITORY: codec}


def write_tokenizer(folder: Path) -> None:
    """Write a small tokenizer of T5's kind: a unigram model that ends each text with ``</s>`` (1) and pads with 0."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["▁", *letters, *"0123456789", *".,'-!?", *"ABCDEFGH", *(f"▁{letter}" for letter in letters)]
    pieces += [f"▁{word}" for word in WORDS if len(word) > 1]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(piece, len(piece) ** 0.5 - 8.0) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    assert tokenizer.get_vocab_size() <= VOCABULARY_SIZE
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    _write_json(
        folder / "tokenizer_config.json",
        {**special, "extra_ids": 0, "model_max_length": 512, "tokenizer_class": "T5Tokenizer"},
    )


def _preprocessor(kind: Kind, audio_channels: int) -> dict[str, Any]:
    common = {"padding_value": 0.0, "return_attention_mask": True, "sampling_rate": 32000, "padding_side": "left"}
    if kind == "melody":
        chroma = {"chunk_length": 30, "hop_length": 4096, "n_fft": 16384, "num_chroma": 12, "feature_size": 12}
        return {**common, **chroma, "feature_extractor_type": "MusicgenMelodyFeatureExtractor"}
    return {**common, "feature_extractor_type": "EncodecFeatureExtractor", "feature_size": audio_channels}


def _write_json(file: Path, values: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(values, indent=2), encoding="utf-8")
