"""The architecture of a model in audiocraft's layout, from its settings; unsupported options raise ModelFileError."""

from __future__ import annotations

import re

from tunesmith.musicgen.architecture import (
    PAD_MODES,
    Architecture,
    ChromaShape,
    CodecShape,
    TransformerShape,
)
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.t5 import T5Shape

EXPECTED: dict[str, object] = {
    "activation": "gelu", "norm": "layer_norm", "norm_first": True, "bias_ff": False, "bias_attn": False,
    "bias_proj": False, "causal": True, "positional_embedding": "sin", "layer_scale": None, "qk_layer_norm": False,
    "qk_layer_norm_cross": False, "past_context": None, "kv_repeat": 1,
}  # fmt: skip
"""The values of ``transformer_lm`` that this engine supports, if set; all of Meta's models have them."""
CONDITIONERS = {"description": "t5", "self_wav": "chroma_stem"}
REPOSITORY = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


def text_repository(settings: ConfigReader) -> str:
    """Return the repository of the text encoder. Raises ModelFileError for an unsupported conditioner."""
    conditioners = settings.section("conditioners")
    for name in conditioners.values:
        if name != "args":
            kind = conditioners.section(name).text("model")
            if CONDITIONERS.get(name) != kind:
                problem = f"unsupported conditioner {kind!r}; only text (t5) and melody (chroma_stem) are supported"
                raise conditioners.error(name, problem)
    text = conditioners.section("description").section("t5")
    text.one_of("finetune", (False,), False)
    text.one_of("normalize_text", (False,), False)
    return check_repository(text, "name", text.text("name"))


def check_repository(settings: ConfigReader, field: str, name: str) -> str:
    """Return the name of a repository. Raises ModelFileError if it is not a valid name."""
    # The name comes from a file of unknown origin and becomes part of a URL and of a path.
    if not REPOSITORY.fullmatch(name):
        raise settings.error(field, f"{name!r} is not the name of a repository")
    return name


def make_architecture(settings: ConfigReader, text_encoder: T5Shape, codec: CodecShape) -> Architecture:
    """Combine the sizes of a model; the number of codebooks comes from the codec."""
    settings.one_of("lm_model", ("transformer_lm",))
    decoder = _decoder(settings.section("transformer_lm"))
    channels = 2 if _is_stereo(settings) else 1
    seconds = settings.section("dataset").number("segment_duration", 30.0)
    return Architecture(
        decoder, text_encoder, codec, delays=_delays(settings, decoder.num_codebooks), audio_channels=channels,
        chroma=_chroma(settings, seconds), window_seconds=seconds,
    )  # fmt: skip


def num_codebooks_of_channel(settings: ConfigReader) -> int:
    """Return the number of codebooks per channel."""
    total = settings.section("transformer_lm").integer("n_q", most=64)
    # The settings count the codebooks of both channels.
    if _is_stereo(settings) and total % 2:
        raise settings.error("transformer_lm.n_q", f"must be even for two channels, got {total}")
    return total // 2 if _is_stereo(settings) else total


def read_codec(settings: ConfigReader, num_codebooks: int) -> CodecShape:
    """Read EnCodec's sizes, with ``num_codebooks`` codebooks in use."""
    settings.one_of("compression_model", ("encodec",))
    settings.section("encodec").one_of("renormalize", (False,), False)
    settings.section("encodec").one_of("autoencoder", ("seanet",), "seanet")
    seanet, books = settings.section("seanet"), settings.section("rvq")
    for name, allowed in (("channels", 1), ("norm", "weight_norm"), ("activation", "ELU")):
        seanet.one_of(name, (allowed,), allowed)
    decoder = seanet.section("decoder")
    decoder.one_of("final_activation", (None,))
    if books.integer("n_q", most=64) < num_codebooks:
        problem = f"{books.integer('n_q')} codebooks, but the decoder writes {num_codebooks}"
        raise books.error("n_q", problem)
    return CodecShape(
        sample_rate=settings.section("encodec").integer("sample_rate"),
        ratios=seanet.integers("ratios", least=1, most=64),
        num_filters=seanet.integer("n_filters"), latent_size=seanet.integer("dimension"), num_codebooks=num_codebooks,
        codebook_size=books.integer("bins"), kernel_size=seanet.integer("kernel_size", 7),
        last_kernel_size=seanet.integer("last_kernel_size", 7),
        residual_kernel_size=seanet.integer("residual_kernel_size", 3),
        num_residual_layers=seanet.integer("n_residual_layers", 3, most=100),
        dilation_growth=seanet.integer("dilation_base", 2), compress=seanet.integer("compress", 2),
        num_lstm_layers=seanet.integer("lstm", most=100),
        pad_mode=seanet.one_of("pad_mode", PAD_MODES, "reflect"),
        causal=seanet.flag("causal", False), trim_right_ratio=decoder.number("trim_right_ratio", 1.0),
        conv_shortcut=not seanet.flag("true_skip", True),
    )  # fmt: skip


def _decoder(settings: ConfigReader) -> TransformerShape:
    for name, expected in EXPECTED.items():
        if name in settings.values:
            settings.one_of(name, (expected,))
    hidden_size, num_heads = settings.integer("dim"), settings.integer("num_heads")
    # The width must split into heads, and the position encoding into sines and cosines.
    if hidden_size % (2 * num_heads):
        raise settings.error("num_heads", f"must split {hidden_size} into heads of even width, got {num_heads}")
    return TransformerShape(
        hidden_size, settings.integer("num_layers", most=1000), num_heads,
        ffn_size=hidden_size * settings.integer("hidden_scale", 4), num_codebooks=settings.integer("n_q", most=64),
        codebook_size=settings.integer("card"),
    )  # fmt: skip


def _is_stereo(settings: ConfigReader) -> bool:
    if "interleave_stereo_codebooks" not in settings.values:
        return False
    stereo = settings.section("interleave_stereo_codebooks")
    stereo.one_of("per_timestep", (False,), False)
    return stereo.flag("use", False)


def _delays(settings: ConfigReader, num_codebooks: int) -> tuple[int, ...]:
    # Some exports name the pattern only; its delays are then 0, 1, 2, …
    if "codebooks_pattern" not in settings.values:
        settings.section("transformer_lm").one_of("q_modeling", ("delay",))
        return tuple(range(num_codebooks))
    pattern = settings.section("codebooks_pattern")
    pattern.one_of("modeling", ("delay",))
    delay = pattern.section("delay")
    for name in ("flatten_first", "empty_initial"):
        delay.one_of(name, (0,), 0)
    if delay.optional("delays") is None:
        return tuple(range(num_codebooks))
    delays = delay.integers("delays")
    if len(delays) != num_codebooks or list(delays) != sorted(delays) or delays[0] != 0:
        raise delay.error("delays", f"must be {num_codebooks} values rising from 0, got {list(delays)}")
    return delays


def _chroma(settings: ConfigReader, seconds: float) -> ChromaShape | None:
    melody = "self_wav" in settings.section("conditioners").values
    fuser = settings.section("fuser")
    fuser.one_of("prepend", (["self_wav", "description"] if melody else [],))
    fuser.one_of("cross", ([] if melody else ["description"],))
    fuser.one_of("cross_attention_pos_emb", (False,), False)
    for name in ("sum", "input_interpolate"):
        fuser.one_of(name, ([],), [])
    if not melody:
        return None
    chroma = settings.section("conditioners").section("self_wav").section("chroma_stem")
    chroma.one_of("argmax", (True,), True)
    fft_size = 2 ** chroma.integer("radix2_exp", 12, most=20)
    hop = fft_size // 4
    # The STFT pads, so that frames are centred: one frame more.
    num_frames = 1 + int(seconds * chroma.integer("sample_rate")) // hop
    return ChromaShape(chroma.integer("n_chroma", 12), fft_size, hop, num_frames)
