"""Hugging Face's layout: sizes in ``config.json``, weights in one or more files, words in ``tokenizer.json``."""

from __future__ import annotations

from math import ceil, log2
from pathlib import Path

from tunesmith.musicgen.architecture import (
    MODEL_TYPES,
    PAD_MODES,
    Architecture,
    ChromaShape,
    CodecShape,
    TransformerShape,
)
from tunesmith.musicgen.checkpoint.expected_shapes import (
    codec_shapes,
    decoder_shapes,
)
from tunesmith.neural import t5
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.tensor_shapes import Shapes, select
from tunesmith.neural.checkpoint.tensors import IdentityTensor, Tensor
from tunesmith.neural.checkpoint.weight_files import read_json, read_weights

CONFIG = "config.json"


def read_architecture(folder: Path) -> Architecture:
    """Read the architecture. Raises ModelFileError, with the field, if the model is of another family."""
    settings = ConfigReader(CONFIG, read_json(folder / CONFIG))
    kind = settings.one_of("model_type", MODEL_TYPES)
    for part, expected in (("text_encoder", "t5"), ("audio_encoder", "encodec")):
        settings.section(part).one_of("model_type", (expected,))
    decoder = settings.section("decoder")
    channels = decoder.one_of("audio_channels", (1, 2), 1)
    shape = _decoder(decoder)
    if shape.num_codebooks % channels:
        raise decoder.error("num_codebooks", f"must be a multiple of {channels} channels, got {shape.num_codebooks}")
    chroma = ChromaShape(settings.integer("num_chroma", 12), num_frames=settings.integer("chroma_length", 235))
    codec = read_codec(settings.section("audio_encoder"), shape.num_codebooks // channels)
    if codec.codebook_size != shape.codebook_size:
        sizes = f"{shape.codebook_size} codes; audio_encoder.codebook_size is {codec.codebook_size}"
        raise decoder.error("vocab_size", sizes)
    return Architecture(
        shape, t5.read_shape(settings.section("text_encoder")), codec,
        # Stereo codebooks are interleaved, and both channels of a codebook have the same delay.
        delays=tuple(k // channels for k in range(shape.num_codebooks)),
        audio_channels=channels, chroma=chroma if kind == "musicgen_melody" else None,
    )  # fmt: skip


def read_tensors(folder: Path, architecture: Architecture) -> dict[str, Tensor]:
    """Return every tensor the architecture needs. Raises ModelFileError if one is missing or has another shape."""
    file, tensors = read_weights(folder)
    tensors |= _left_out(architecture, file) | t5.share_embeddings(tensors, "text_encoder.")
    shapes = t5.tensor_shapes(architecture.text_encoder) | codec_shapes(architecture.codec)
    return select(tensors, shapes | decoder_shapes(architecture), file)


def read_codec(settings: ConfigReader, num_codebooks: int) -> CodecShape:
    """Read the shape of EnCodec, with ``num_codebooks`` codebooks in use per channel."""
    settings.one_of("norm_type", ("weight_norm",), "weight_norm")
    settings.one_of("audio_channels", (1,), 1)
    settings.one_of("normalize", (False,), False)
    # Chunked codecs overlap-add their chunks, which the graphs here do not.
    settings.one_of("chunk_length_s", (None,))
    latent_size = settings.integer("hidden_size", 128)
    settings.one_of("codebook_dim", (latent_size, None))
    codec = CodecShape(
        sample_rate=settings.integer("sampling_rate", 24000),
        ratios=settings.integers("upsampling_ratios", (8, 5, 4, 2), least=1, most=64),
        num_filters=settings.integer("num_filters", 32), latent_size=latent_size, num_codebooks=num_codebooks,
        codebook_size=settings.integer("codebook_size", 1024), kernel_size=settings.integer("kernel_size", 7),
        last_kernel_size=settings.integer("last_kernel_size", 7),
        residual_kernel_size=settings.integer("residual_kernel_size", 3),
        num_residual_layers=settings.integer("num_residual_layers", 1, most=100),
        dilation_growth=settings.integer("dilation_growth_rate", 2), compress=settings.integer("compress", 2),
        num_lstm_layers=settings.integer("num_lstm_layers", 2, most=100),
        pad_mode=settings.one_of("pad_mode", PAD_MODES, "reflect"),
        causal=settings.flag("use_causal_conv", True), trim_right_ratio=settings.number("trim_right_ratio", 1.0),
        conv_shortcut=settings.flag("use_conv_shortcut", True),
    )  # fmt: skip
    _check_bandwidth(settings, codec)
    return codec


def _decoder(settings: ConfigReader) -> TransformerShape:
    settings.one_of("activation_function", ("gelu",), "gelu")
    settings.one_of("scale_embedding", (False,), False)
    shape = TransformerShape(
        hidden_size=settings.integer("hidden_size", 1024),
        num_layers=settings.integer("num_hidden_layers", 24, most=1000),
        num_heads=settings.integer("num_attention_heads", 16), ffn_size=settings.integer("ffn_dim", 4096),
        num_codebooks=settings.integer("num_codebooks", 4, most=64),
        codebook_size=settings.integer("vocab_size", 2048),
    )  # fmt: skip
    # The width must split into heads, and the position encoding into sines and cosines.
    if shape.hidden_size % (2 * shape.num_heads):
        raise settings.error(
            "num_attention_heads", f"must split {shape.hidden_size} into heads of even width, got {shape.num_heads}"
        )
    return shape


def _check_bandwidth(settings: ConfigReader, codec: CodecShape) -> None:
    """Check that EnCodec has enough codebooks: its configuration states only its highest bandwidth, in kbit/s."""
    most = settings.numbers("target_bandwidths", (1.5, 3.0, 6.0, 12.0, 24.0))[-1]
    # EnCodec's own formula, with its roundings.
    has = int(1000 * most // (ceil(codec.frame_rate) * ceil(log2(max(codec.codebook_size, 2)))))
    if has < codec.num_codebooks:
        problem = f"{most} gives {has} codebooks, but the decoder writes {codec.num_codebooks}"
        raise settings.error("target_bandwidths", problem)


def _left_out(architecture: Architecture, file: str) -> dict[str, Tensor]:
    """Return the identity for a projection between equal widths, which checkpoints omit."""
    hidden = architecture.decoder.hidden_size
    if architecture.text_encoder.hidden_size != hidden:
        return {}
    shapes: Shapes = {"enc_to_dec_proj.weight": (hidden, hidden), "enc_to_dec_proj.bias": (hidden,)}
    return {name: IdentityTensor(file, shape) for name, shape in shapes.items()}
