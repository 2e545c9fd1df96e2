"""The layout that needs no account: the NumPy archives of ``stabilityai/stable-audio-3-optimized``.

Four archives, in the folder itself or in its subfolder ``MLX``: the diffusion transformer with its conditions, SAME-S's
decoder, its encoder, and T5Gemma with its tokenizer. There is no configuration: sizes follow from the shapes, and
what shapes do not tell is the same for both published models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.numpy_archive import ArchivedTensor, NumpyArchive, read_numpy_archive
from tunesmith.neural.checkpoint.tensors import Tensor
from tunesmith.neural.checkpoint.weight_files import check_is_there
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)
from tunesmith.stable_audio.checkpoint.canonical_shapes import (
    AUTOENCODER,
    DIFFUSION,
    TEXT_ENCODER,
    autoencoder_shapes,
    conditioner_shapes,
    diffusion_shapes,
    t5gemma_shapes,
)
from tunesmith.stable_audio.checkpoint.file_names import (
    ARCHIVES,
    DIFFUSION_PATTERN,
    SMALL_DIFFUSION,
    SUBFOLDER,
    TEXT_ARCHIVE,
    USE_INSTEAD,
)
from tunesmith.stable_audio.checkpoint.model_config import PublishedSizes, TextSource
from tunesmith.stable_audio.checkpoint.placement import FindPlace, Shape, StoredForm, StoredPlace, place_tensors

NUMBER_KINDS = ("float16", "float32")
# META is a short JSON text; a broken archive may claim any size for it.
MOST_META_BYTES = 1_000_000
CONDITIONS = {
    "conditioner.prompt.padding_embedding": "cond.padding_embedding",
    "conditioner.seconds_total.embedder.embedding.1.weight": "cond.seconds_total_weight",
    "conditioner.seconds_total.embedder.embedding.1.bias": "cond.seconds_total_bias",
}
SAME_NAMES = [
    (r"^decoder\.layers\.1\.", "project_in."), (r"^encoder\.layers\.2\.", "project_out."), (r"^bottleneck\.", ""),
    (r"^(encoder\.layers\.0|decoder\.layers\.3)\.", ""), (r"^transformers\.", "blocks."), (r"\.self_attn\.", ".attn."),
    (r"\.ff\.ff\.0\.proj\.", ".ff.glu_proj."), (r"\.ff\.ff\.2\.", ".ff.proj_out."),
]  # fmt: skip
# The decoder's archive has what brings latents to their own scale, the encoder's what it does in training.
OF_DECODER = (f"{AUTOENCODER}decoder.", f"{AUTOENCODER}bottleneck.running_std")


@dataclass(frozen=True, slots=True)
class FixedSizes:
    """What the archives do not say of the published models."""

    patches: int = 16
    max_tokens: int = 256
    # 5,292,032 samples, the longest piece of the reference's generate().
    max_latents: int = 1292
    sample_rate: int = 44_100
    max_seconds_total: float = 384.0


SMALL = FixedSizes()


def is_optimized(folder: Path) -> bool:
    """Return whether the folder has this layout."""
    return bool(_diffusion_files(folder))


def read_optimized(folder: Path, fixed: FixedSizes = SMALL) -> tuple[StableAudioArchitecture, dict[str, Tensor], Path]:
    """Return the architecture, the tensors and the archive with the tokenizer.

    Raises ModelFileError, which names the array, if one is missing or has another type or shape than the rest asks for.
    """
    diffusion_file = _one_diffusion_file(folder)
    diffusion, decoder, encoder, text = (
        _open(diffusion_file.with_name(name)) for name in (diffusion_file.name, *ARCHIVES)
    )
    architecture = _architecture(diffusion, decoder, text, fixed)
    same = autoencoder_shapes(architecture.autoencoder)
    of_decoder = {name: shape for name, shape in same.items() if name.startswith(OF_DECODER)}
    of_encoder = {name: shape for name, shape in same.items() if name not in of_decoder}
    assert isinstance(architecture.text_encoder, T5GemmaShape)
    shapes = diffusion_shapes(architecture.diffusion)
    shapes |= conditioner_shapes(architecture.diffusion, architecture.numbers)
    tensors = {
        **_place(diffusion, shapes, _find_diffusion),
        **_place(decoder, of_decoder, _find_same),
        **_place(encoder, of_encoder, _find_same),
        **_place(text, t5gemma_shapes(architecture.text_encoder), _find_text(text)),
    }
    return architecture, tensors, text.path


def _diffusion_files(folder: Path) -> list[Path]:
    return sorted(path for place in (folder, folder / SUBFOLDER) for path in place.glob(DIFFUSION_PATTERN))


def _one_diffusion_file(folder: Path) -> Path:
    found = _diffusion_files(folder)
    small = [path for path in found if path.name.startswith(SMALL_DIFFUSION)]
    if not small:
        raise ModelFileError(found[0].name, f"is Stable Audio 3 medium, which is not supported: {USE_INSTEAD}")
    if len(small) > 1:
        raise ModelFileError(small[0].name, f"{small[1].name} is beside it: keep the one to install")
    return small[0]


def _open(path: Path) -> NumpyArchive:
    check_is_there(path)
    return read_numpy_archive(path)


def _place(archive: NumpyArchive, shapes: Mapping[str, Shape], find: FindPlace) -> dict[str, Tensor]:
    placed = place_tensors(archive.tensors, dict(shapes), find, archive.path.name)
    for name, shape in shapes.items():
        (own,) = find(name, shape).names
        kind = archive.tensors[own].kind
        if kind not in NUMBER_KINDS:
            raise ModelFileError(archive.path.name, f"{own} must be {' or '.join(NUMBER_KINDS)}, got {kind}")
    return placed


def _find_diffusion(name: str, shape: Shape) -> StoredPlace:
    if name in CONDITIONS:
        return StoredPlace((CONDITIONS[name],))
    own = re.sub(r"\.gamma$", ".weight", name.removeprefix(DIFFUSION))
    own = re.sub(r"\.to_local_embed\.", ".to_local_embed.seq.", own)
    if not own.endswith("process_conv.weight"):
        return StoredPlace((own,))
    outputs, inputs = shape
    forms = (outputs, 1, inputs), (outputs, inputs, 1), shape
    return StoredPlace((own,), tuple(map(StoredForm, forms)))


def _find_same(name: str, shape: Shape) -> StoredPlace:
    own = name.removeprefix(AUTOENCODER)
    for theirs, ours in SAME_NAMES:
        own = re.sub(theirs, ours, own)
    if own != "mapping.weight":
        return StoredPlace((own,))
    outputs, inputs, kernel = shape
    channels_last = StoredForm((outputs, kernel, inputs), (0, 2, 1))
    linear = (StoredForm((outputs, inputs)),) if kernel == 1 else ()
    return StoredPlace((own,), (StoredForm(shape), channels_last, *linear))


def _find_text(archive: NumpyArchive) -> FindPlace:
    last_norm = "norm" if "norm" in archive.tensors else "norm.weight"

    def find(name: str, _: Shape) -> StoredPlace:
        own = name.removeprefix(TEXT_ENCODER)
        return StoredPlace((last_norm if own == "norm.weight" else own,))

    return find


def _architecture(
    diffusion: NumpyArchive, decoder: NumpyArchive, text: NumpyArchive, fixed: FixedSizes
) -> StableAudioArchitecture:
    width = _shape(diffusion, CONDITIONS["conditioner.prompt.padding_embedding"], 1)[0]
    transformer, autoencoder = _diffusion_shape(diffusion, width), _same_shape(decoder, fixed.patches)
    if autoencoder.latent_channels != transformer.latent_channels:
        problem = f"reads latents of {autoencoder.latent_channels} channels; {diffusion.path.name} has"
        raise ModelFileError(decoder.path.name, f"{problem} {transformer.latent_channels}")
    sizes = PublishedSizes(
        transformer, autoencoder,
        (NumberCondition("seconds_total", 0.0, fixed.max_seconds_total, exponential=True),), "rf_denoiser",
        TextSource("t5gemma", TEXT_ARCHIVE, fixed.max_tokens), fixed.max_latents, fixed.sample_rate,
        file=diffusion.path.name,
    )  # fmt: skip
    return sizes.with_text_encoder(_text_shape(text))


def _diffusion_shape(archive: NumpyArchive, width: int) -> DiffusionShape:
    hidden, latents = _shape(archive, "transformer.project_in.weight", 2)
    (head_size,) = _shape(archive, "transformer.layers.0.self_attn.q_norm.weight", 1)
    if not head_size or hidden % head_size or head_size % 2:
        raise ModelFileError(archive.path.name, f"heads of {head_size} cannot share a width of {hidden}")
    inner = _shape(archive, "transformer.layers.0.ff.ff.2.weight", 2)[1]
    return DiffusionShape(
        hidden, _num_layers(archive, r"transformer\.layers\.(\d+)\."), hidden // head_size, latents, width,
        _shape(archive, "to_global_embed.0.weight", 2)[1],
        num_memory_tokens=_shape(archive, "transformer.memory_tokens", 2)[0], local_width=latents + 1, qk_norm="rms",
        ffn_multiple=inner / hidden,
    )  # fmt: skip


def _same_shape(archive: NumpyArchive, patches: int) -> SameShape:
    hidden, latents = _shape(archive, "project_in.weight", 2)
    (head_size,) = _shape(archive, "blocks.0.attn.q_norm.gamma", 1)
    if not head_size or hidden % head_size:
        raise ModelFileError(archive.path.name, f"heads of {head_size} cannot share a width of {hidden}")
    # The mapping gives the samples of a patch in two channels.
    outputs = _shape(archive, "mapping.bias", 1)[0]
    return SameShape(
        hidden, _num_layers(archive, r"blocks\.(\d+)\."), head_size,
        _shape(archive, "blocks.0.ff.proj_out.weight", 2)[1], latents, outputs // 2, patches,
    )  # fmt: skip


def _text_shape(archive: NumpyArchive) -> T5GemmaShape:
    file = f"{archive.path.name}: META"
    try:
        values = json.loads(archive.read_bytes("META", MOST_META_BYTES))
    except (ValueError, RecursionError):
        raise ModelFileError(file, "is not JSON") from None
    if not isinstance(values, dict):
        raise ModelFileError(file, "is not a JSON object")
    meta = ConfigReader(file, values)
    hidden, head_size = meta.integer("hidden_size"), meta.integer("head_dim")
    return T5GemmaShape(
        hidden, meta.integer("num_hidden_layers", most=1000),
        _shape(archive, "layers.0.self_attn.q_proj.weight", 2)[0] // head_size, head_size,
        _shape(archive, "layers.0.mlp.gate_proj.weight", 2)[0], meta.integer("vocab_size"),
        rope_theta=meta.number("rope_theta"), score_cap=meta.number("attn_logit_softcapping", 50.0),
        query_scalar=meta.number("query_pre_attn_scalar", float(head_size)), epsilon=meta.number("rms_norm_eps"),
    )  # fmt: skip


def _shape(archive: NumpyArchive, name: str, num_axes: int) -> Shape:
    tensor: ArchivedTensor | None = archive.tensors.get(name)
    if tensor is None:
        raise ModelFileError(archive.path.name, f"{name} is missing")
    if len(tensor.shape) != num_axes:
        raise ModelFileError(archive.path.name, f"{name} has shape {tensor.shape}, not {num_axes} axes")
    return tensor.shape


def _num_layers(archive: NumpyArchive, pattern: str) -> int:
    numbers = {int(match[1]) for name in archive.tensors if (match := re.match(pattern, name))}
    # A gap is found as a missing tensor, and a number that is far too large must not be counted up to.
    return min(max(numbers, default=0) + 1, len(numbers) + 1)
