"""The settings that AudioGen was trained with, as the real package has them, give the model that is published."""

from __future__ import annotations

import audiocraft_source as source
import pytest

from tunesmith.models.catalog import pullable_models
from tunesmith.models.families.musicgen_resources import decoder_parameters
from tunesmith.musicgen.checkpoint.audiocraft import CODEC_FILE, DECODER_FILE, parse_settings
from tunesmith.musicgen.checkpoint.audiocraft_architecture import make_architecture, read_codec, text_repository
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.t5 import T5Shape

T5_LARGE = T5Shape(hidden_size=1024, num_layers=24, num_heads=16, head_size=64, ffn_size=4096, vocabulary_size=32_128)
LANGUAGE_MODEL = ("conditioner/text2sound", "model/lm/default", "model/lm/model_scale/medium", "model/lm/audiogen_lm",
                  "solver/audiogen/default", "solver/audiogen/audiogen_base_16khz")  # fmt: skip
CODEC = ("model/encodec/default", "model/encodec/encodec_large_nq4_s320")


def read(file: str, *names: str) -> ConfigReader:
    composed = {**source.settings(*names), "sample_rate": 16_000, "channels": 1}
    return ConfigReader(file, parse_settings(source.as_text(composed), file))


def test_audiogen_is_read_from_its_own_settings() -> None:
    settings = read(DECODER_FILE, *LANGUAGE_MODEL)
    codec = read_codec(read(CODEC_FILE, *CODEC), 4)
    architecture = make_architecture(settings, T5_LARGE, codec)
    assert text_repository(settings) == "t5-large"
    entry = pullable_models()["audiogen-medium"]
    assert entry.companions == ("t5-large",)
    decoder = architecture.decoder
    assert (decoder.hidden_size, decoder.num_layers, decoder.num_heads, decoder.num_codebooks) == (1536, 48, 24, 4)
    assert (codec.sample_rate, codec.hop, codec.num_filters, codec.pad_mode) == (16_000, 320, 64, "constant")
    assert (architecture.frame_rate, architecture.window_frames, architecture.delays) == (50.0, 500, (0, 1, 2, 3))
    assert architecture.chroma is None
    assert entry.parameters
    assert abs(decoder_parameters(architecture) / entry.parameters - 1) < 0.01
    # The decoder in half precision, all of T5-large (738 M parameters) and the codec (0.24 GB) in single.
    assert entry.download_gb == pytest.approx(2 * decoder_parameters(architecture) / 1e9 + 4 * 0.738 + 0.24, abs=0.1)
