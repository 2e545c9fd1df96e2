"""Stable Audio as a family of models: its files in every layout, its conversion, its memory and its generator."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.audio import Audio
from tunesmith.config import load_settings
from tunesmith.errors import ModelFileError
from tunesmith.generator import Generator
from tunesmith.models.families.family import FreeMemory, ModelSummary
from tunesmith.models.families.gpu import has_gpu
from tunesmith.models.manifest import Manifest, Sizes
from tunesmith.models.repository_files import ReadText, RemoteFile, Repository
from tunesmith.models.resource_checks import PROCESS_BYTES
from tunesmith.neural.quantization import FOR_GPU
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.neural.sessions import usable_cores
from tunesmith.request import GenerationRequest
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.checkpoint.file_names import (
    ARCHIVES,
    DIFFUSERS_FILES,
    DIFFUSERS_INDEX,
    DIFFUSION_PATTERN,
    MODEL_CONFIG,
    STABILITY_WEIGHTS,
    SUBFOLDER,
    TEXT_FILES,
    TOKENIZERS,
    USE_INSTEAD,
)
from tunesmith.stable_audio.lengths import most_positions
from tunesmith.stable_audio.model_folder import GPU_WEIGHTS, TOKENIZER, read_architecture

if TYPE_CHECKING:
    from tunesmith.stable_audio.network_protocol import DiffusionNetworks

MEASURED = "int8"
"""The quantization whose layers are chosen by what the self-check measures."""
CONVERSION_SHARE = 0.4
"""The share of the conversion in the progress, where a self-check follows."""
CONVERTED_SHARE: Mapping[str, float] = {
    "int8": 0.4, "int8-rows": 0.29, "int8-mixed": 0.29, "int8-32": 0.31, "none": 1.02, "float16": 0.6,
}  # fmt: skip
"""The size of a converted model relative to its weights in fp32: 0.94 GB of 3.4 GB in int8-rows."""
OOBLECK_SHARE = 0.15
"""What the autoencoder of Stable Audio Open, which stays fp32, adds to that share."""
NOT_RUN = re.compile(r"(?:^|/)(?:stable-audio-3-(?:medium|large)|same-l)\b", re.IGNORECASE)
AUTOENCODER_ALONE = re.compile(r"(?:^|/)same-s\b", re.IGNORECASE)
LATENT_BYTES = 512
"""Working memory of a latent, in bytes for each channel of the transformer's width: 0.5 MB at 1024, as measured."""
GPU_CALLERS = 64
"""Requests at once on a GPU: as many rows as the settings allow."""
CALLER_BYTES = 60_000_000
"""The memory of a request that waits or decodes: its latents, and a few copies of half a minute of stereo."""
USUAL_SECONDS = 30.0
"""The length whose memory is checked before a model is opened."""


class StableAudioFamily:
    """Stable Audio 3 small, Stable Audio Open Small and Stable Audio Open 1.0; see ModelFamily."""

    kind = "stable-audio"
    quantizations = tuple(CONVERTED_SHARE)
    names = ()

    def holds(self, repository: Repository) -> bool:
        """Return whether the repository has a file by which one of the layouts is known."""
        return bool(
            repository.file(MODEL_CONFIG) or repository.file(DIFFUSERS_INDEX) or _diffusion_archives(repository)
        )

    def refuse(self, hub_id: str) -> str | None:
        """Refuse the larger models, which need a graphics card, and an autoencoder alone."""
        if NOT_RUN.search(hub_id):
            return f"{hub_id} is not supported, because it is too large for a processor: {USE_INSTEAD}"
        if AUTOENCODER_ALONE.search(hub_id):
            return f"{hub_id} is an autoencoder alone, which every model contains: {USE_INSTEAD}"
        return None

    def choose_files(
        self, repository: Repository, read_text: ReadText, wanted: Sequence[str] = ()
    ) -> tuple[RemoteFile, ...]:
        """Return the files of one layout: Stability AI's own is preferred to diffusers', safetensors to a pickle."""
        config = repository.file(MODEL_CONFIG)
        weights = repository.present(STABILITY_WEIGHTS)
        if config and weights:
            return (config, weights[0], *_text_encoder_files(repository, read_text(config)))
        index = repository.file(DIFFUSERS_INDEX)
        if index:
            return _diffusers_files(repository, index, read_text(index))
        return _archive_files(repository, wanted)

    def converted_bytes(self, repositories: Sequence[Repository], quantization: str) -> int:
        """Return about how many bytes the model takes once converted."""
        full = sum(_full_bytes(file) for one in repositories for file in one.files)
        # The text encoder of Stable Audio Open comes with a decoder of its size, which is not used.
        full -= sum(one.weights_bytes for one in repositories[1:]) // 2
        is_open = len(repositories) > 1 or repositories[0].file(DIFFUSERS_INDEX) is not None
        is_whole = quantization in ("none", FOR_GPU)
        share = CONVERTED_SHARE[quantization] + (OOBLECK_SHARE if is_open and not is_whole else 0)
        return round(full * share)

    # Reading checkpoints and building graphs take long to import, so the imports wait until the files are here.

    def needed_companions(self, folder: Path) -> Sequence[str]:
        """Return the repository of T5 for Stable Audio Open."""
        from tunesmith.stable_audio.checkpoint.checkpoint import needed_companions

        return needed_companions(folder)

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> ModelSummary:  # fmt: skip
        """Convert the checkpoint to graphs."""
        from tunesmith.stable_audio.checkpoint.canonical_shapes import diffusion_shapes
        from tunesmith.stable_audio.checkpoint.checkpoint import open_checkpoint
        from tunesmith.stable_audio.conversion import convert

        checkpoint = open_checkpoint(folder, companions)
        is_measured = quantization == MEASURED
        share = CONVERSION_SHARE if is_measured else 1.0
        convert(checkpoint, target, quantization, lambda fraction: progress(share * fraction))
        check = None
        if is_measured:
            from tunesmith.stable_audio.self_check import quantize_within_bfloat16

            check = quantize_within_bfloat16(
                target, checkpoint.architecture, checkpoint.weights,
                lambda fraction: progress(share + (1 - share) * fraction),
            )  # fmt: skip
        shapes = diffusion_shapes(checkpoint.architecture.diffusion).values()
        return ModelSummary(_sizes(checkpoint.architecture), sum(map(prod, shapes)), check)

    def check_again(self, folder: Path, manifest: Manifest) -> QuantizationCheck | None:
        """Measure the model against the latents of its float32 reference, which lie beside it."""
        if manifest.self_check is None:
            return None
        from tunesmith.stable_audio.self_check import repeat_check

        return repeat_check(folder, manifest.self_check.forms)

    def memory_needed(self, folder: Path, manifest: Manifest, num_callers: int = 1) -> int:
        """Return the bytes of the largest graph, of the activations of a batch of the usual length, and of the audio.

        A batch ends where it no longer saves time, so more callers need little more. A model on a GPU counts as 0,
        which has its own memory.
        """
        if manifest.needs_gpu:
            return 0
        architecture = read_architecture(folder)
        seconds = min(USUAL_SECONDS, architecture.max_seconds)
        latents = seconds * architecture.sample_rate / architecture.hop_size
        together = min(num_callers * latents, max(latents, most_positions(architecture, _num_cores())))
        activations = round(together * architecture.diffusion.hidden_size * LATENT_BYTES)
        return manifest.largest_file + activations + PROCESS_BYTES + (num_callers - 1) * CALLER_BYTES

    def load(self, folder: Path, manifest: Manifest, free_memory: FreeMemory) -> Generator:
        """Return the generator, which takes as many requests at once as half of the free memory allows."""
        from tunesmith.stable_audio.generator import StableAudioGenerator

        def most_callers() -> int:
            # More callers are optional, so they get only memory that is free; the other half is for other models.
            if manifest.needs_gpu:
                return GPU_CALLERS
            needed = self.memory_needed(folder, manifest)
            batch = self.memory_needed(folder, manifest, 2) - needed - CALLER_BYTES
            return 1 + max(0, (free_memory() - needed) // 2 - batch) // CALLER_BYTES

        return StableAudioGenerator(
            folder, name=manifest.name, licence=manifest.licence, digest=manifest.digest, open_networks=_open_networks,
            most_callers=most_callers,
        )  # fmt: skip

    def check_request(self, request: GenerationRequest) -> None:
        """Refuse the fields of the composer and of models that write tokens."""
        from tunesmith.stable_audio.request_mapping import check_fields

        check_fields(request)

    def can_generate(self, manifest: Manifest) -> bool:
        """Return whether there is a GPU for a model that needs one."""
        return not manifest.needs_gpu or has_gpu()

    def open_parts(self, folder: Path, manifest: Manifest) -> None:  # noqa: ARG002
        """Open the tokenizer and the weights, which takes no GPU."""
        from tunesmith.neural.gpu_weights import read_gpu_weights
        from tunesmith.stable_audio.prompt_tokens import open_tokenizer

        open_tokenizer(folder / TOKENIZER, read_architecture(folder)).encode("calm piano")
        read_gpu_weights(folder / GPU_WEIGHTS)

    def check_trial(self, audio: Audio, manifest: Manifest) -> None:
        """Check that the sound is neither silence nor clipped nor noise: nobody here has heard the real weights."""
        from tunesmith.models.families.trial_sound import check_sound

        check_sound(audio, manifest.name)


def _num_cores() -> int:
    return load_settings().threads or usable_cores()


def _open_networks(folder: Path) -> DiffusionNetworks:
    settings = load_settings()
    # ONNX Runtime and torch take long to import, so they are loaded only now.
    if (folder / GPU_WEIGHTS).exists():
        from tunesmith.neural.torch.device import find_device
        from tunesmith.stable_audio.torch_runner import TorchNetworks

        return TorchNetworks.open(folder, find_device(settings.device))
    from tunesmith.neural.sessions import SessionOptions
    from tunesmith.stable_audio.networks import StableAudioNetworks

    return StableAudioNetworks(folder, SessionOptions(settings.threads))


def _diffusion_archives(repository: Repository) -> list[RemoteFile]:
    patterns = (DIFFUSION_PATTERN, f"{SUBFOLDER}/{DIFFUSION_PATTERN}")
    return [file for file in repository.files if any(fnmatchcase(file.name, pattern) for pattern in patterns)]


def _text_encoder_files(repository: Repository, config: str) -> tuple[RemoteFile, ...]:
    from tunesmith.stable_audio.checkpoint.model_config import parse_model_config

    text = parse_model_config(_json(MODEL_CONFIG, config)).text
    if text.kind == "t5":
        return ()
    files = _all_present(repository, tuple(f"{text.place}/{name}" for name in TEXT_FILES))
    tokenizers = repository.present(tuple(f"{text.place}/{name}" for name in TOKENIZERS))
    if not tokenizers:
        raise ModelFileError(f"{text.place}/{TOKENIZERS[0]}", f"is not in {repository.hub_id}")
    return (*files, tokenizers[0])


def _diffusers_files(repository: Repository, index: RemoteFile, text: str) -> tuple[RemoteFile, ...]:
    from tunesmith.stable_audio.checkpoint.diffusers import check_pipeline

    check_pipeline(_json(DIFFUSERS_INDEX, text))
    return (index, *_all_present(repository, DIFFUSERS_FILES))


def _archive_files(repository: Repository, wanted: Sequence[str]) -> tuple[RemoteFile, ...]:
    if wanted:
        return _all_present(repository, tuple(wanted))
    found = _diffusion_archives(repository)
    if len(found) != 1:
        listed = ", ".join(file.name for file in found) or f"no {DIFFUSION_PATTERN} and no weights"
        raise ModelFileError(repository.hub_id, f"holds {listed}, not one model: {USE_INSTEAD}")
    place = found[0].name.rpartition("/")[0]
    names = tuple(f"{place}/{name}" if place else name for name in ARCHIVES)
    return (found[0], *_all_present(repository, names))


def _all_present(repository: Repository, names: tuple[str, ...]) -> tuple[RemoteFile, ...]:
    missing = next((name for name in names if repository.file(name) is None), None)
    # Found out now rather than after gigabytes of the others.
    if missing is not None:
        raise ModelFileError(missing, f"is not in {repository.hub_id}")
    return repository.present(names)


def _json(name: str, text: str) -> dict[str, object]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ModelFileError(name, "is not a JSON object")
    return values


def _full_bytes(file: RemoteFile) -> int:
    """Return the size of a file's weights as fp32."""
    # T5Gemma is stored in bfloat16, and the half of it that is its decoder is not used.
    is_half = file.name.endswith("_f16.npz")
    return file.bytes * (1 + is_half) if file.is_weights else 0


def _sizes(architecture: StableAudioArchitecture) -> Sizes:
    diffusion = architecture.diffusion
    return Sizes(
        kind=StableAudioFamily.kind, hidden_size=diffusion.hidden_size, num_layers=diffusion.num_layers,
        num_heads=diffusion.num_heads, num_codebooks=None, audio_channels=architecture.audio_channels,
        sample_rate=architecture.sample_rate, melody=False, latent_channels=diffusion.latent_channels,
        max_seconds=architecture.max_seconds,
    )  # fmt: skip
