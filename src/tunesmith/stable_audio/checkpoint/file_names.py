"""The names of the published files, layout by layout."""

from __future__ import annotations

USE_INSTEAD = "use stable-audio-3-small-music or stable-audio-3-small-sfx"

MODEL_CONFIG = "model_config.json"
"""By this file, Stability AI's own layout is known."""
STABILITY_WEIGHTS = ("model.safetensors", "model.ckpt")
"""The weights in Stability AI's own layout; the first that exists is read."""
TEXT_FILES = ("config.json", "model.safetensors")
"""The files of T5Gemma, in its subfolder."""
TOKENIZERS = ("tokenizer.json", "tokenizer.model")
"""The tokenizer of T5Gemma; the first that exists is read."""

DIFFUSERS_INDEX, PART_CONFIG, PART_WEIGHTS = "model_index.json", "config.json", "diffusion_pytorch_model.safetensors"
TRANSFORMER, VAE, PROJECTION = "transformer", "vae", "projection_model"
TEXT_ENCODER, TOKENIZER_FOLDER = "text_encoder", "tokenizer"
DIFFUSERS_FILES = (
    *(f"{part}/{name}" for part in (TRANSFORMER, VAE, PROJECTION) for name in (PART_CONFIG, PART_WEIGHTS)),
    f"{TEXT_ENCODER}/config.json", f"{TEXT_ENCODER}/model.safetensors", f"{TOKENIZER_FOLDER}/tokenizer.json",
)  # fmt: skip
"""The files of diffusers' layout beside its index."""

SUBFOLDER = "MLX"
DIFFUSION_PATTERN, SMALL_DIFFUSION = "dit_*.npz", "dit_sm-"
SAME_DECODER_ARCHIVE, SAME_ENCODER_ARCHIVE = "same_s_decoder_f32.npz", "same_s_encoder_f32.npz"
TEXT_ARCHIVE = "t5gemma_f16.npz"
ARCHIVES = (SAME_DECODER_ARCHIVE, SAME_ENCODER_ARCHIVE, TEXT_ARCHIVE)
"""The archives that both published models share."""
