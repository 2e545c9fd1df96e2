"""MusicGen as a family of models: its files, its conversion, its memory and its generator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.audio import Audio
from tunesmith.config import load_settings
from tunesmith.errors import ModelFileError
from tunesmith.generator import Generator
from tunesmith.models.families.family import FreeMemory, ModelSummary
from tunesmith.models.families.gpu import has_gpu
from tunesmith.models.families.musicgen_resources import (
    decoder_parameters,
    memory_needed,
    memory_of_folder,
    plan_batch,
)
from tunesmith.models.manifest import Manifest, Sizes, read_manifest
from tunesmith.models.repository_files import CONFIG, ReadText, RemoteFile, Repository, transformers_files
from tunesmith.models.resource_checks import available_memory, check_memory
from tunesmith.musicgen.architecture import GUIDED_ROWS, MODEL_TYPES, Architecture
from tunesmith.musicgen.model_folder import TOKENIZER, read_architecture
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.request import GenerationRequest
from tunesmith.text_prompt import reject_composer_only_fields, reject_stable_audio_only_fields

if TYPE_CHECKING:
    from tunesmith.musicgen.engine import Engine
    from tunesmith.musicgen.open_engine import Device

AUDIOCRAFT_WEIGHTS, AUDIOCRAFT_CODEC = "state_dict.bin", "compression_state_dict.bin"
CONVERTED_SHARE: Mapping[str, float] = {"int8": 0.45, "int8-32": 0.5, "int4": 0.4, "float16": 0.5, "none": 1.1}
"""The size of a converted model relative to its weights in fp32; the codec stays fp32, so small models have larger
shares."""

CONVERSION_SHARE = 0.5
"""The share of the conversion in the progress, where a self-check follows."""


class MusicGenFamily:
    """MusicGen and AudioGen, in Hugging Face's layout or in audiocraft's; see ModelFamily."""

    kind = "musicgen"
    quantizations = tuple(CONVERTED_SHARE)
    names = ("meta/musicgen",)

    def holds(self, repository: Repository) -> bool:
        """Return whether the repository has a configuration of Hugging Face or weights of audiocraft."""
        return bool(repository.file(CONFIG) or repository.file(AUDIOCRAFT_WEIGHTS))

    def refuse(self, hub_id: str) -> None:
        """Refuse no model by its name."""

    def choose_files(
        self, repository: Repository, read_text: ReadText, wanted: Sequence[str] = ()  # noqa: ARG002
    ) -> tuple[RemoteFile, ...]:  # fmt: skip
        """Return the files of one layout: Hugging Face's is preferred to audiocraft's, safetensors to pickles."""
        files = transformers_files(repository, read_text) if repository.file(CONFIG) else ()
        if files:
            check_model_type(read_text(files[0]))
            return files
        weights = repository.present((AUDIOCRAFT_WEIGHTS, AUDIOCRAFT_CODEC))
        if not weights:
            problem = f"contains no supported model: {CONFIG} is there, but neither model.safetensors"
            raise ModelFileError(repository.hub_id, f"{problem} nor pytorch_model.bin nor {AUDIOCRAFT_WEIGHTS}")
        return weights + repository.present(("tokenizer.json",))

    def converted_bytes(self, repositories: Sequence[Repository], quantization: str) -> int:
        """Return about how many bytes the model takes once converted."""
        # audiocraft stores its weights in half precision.
        halves = [2 if one.file(AUDIOCRAFT_WEIGHTS) and not one.file(CONFIG) else 1 for one in repositories]
        full = sum(half * one.weights_bytes for half, one in zip(halves, repositories, strict=True))
        return round(full * CONVERTED_SHARE[quantization])

    # Reading checkpoints and building graphs take long to import, so the imports wait until the files are here.

    def needed_companions(self, folder: Path) -> Sequence[str]:
        """Return the repositories of the text encoder and the codec that audiocraft's files name."""
        from tunesmith.musicgen.checkpoint import needed_companions

        return needed_companions(folder)

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> ModelSummary:  # fmt: skip
        """Convert the checkpoint to graphs, whose layers are measured if quantized, or to weights for a GPU."""
        from tunesmith.musicgen.checkpoint import open_checkpoint
        from tunesmith.musicgen.conversion import convert
        from tunesmith.musicgen.self_check import LIMITS, quantize_within_limit

        checkpoint = open_checkpoint(folder, companions)
        share = CONVERSION_SHARE if quantization in LIMITS else 1.0
        convert(checkpoint, target, quantization, lambda fraction: progress(share * fraction))
        summary = summarize(checkpoint.architecture)
        if quantization not in LIMITS:
            return summary
        # The check opens the model, so what a trial would refuse is refused before.
        check_memory(target.stem, memory_of_folder(target, checkpoint.architecture), available_memory())
        try:
            check = quantize_within_limit(
                target, checkpoint.architecture, checkpoint.weights, quantization,
                lambda fraction: progress(share + (1 - share) * fraction),
            )  # fmt: skip
        except ModelFileError as error:
            # The temporary build folder means nothing to the user.
            raise ModelFileError(Path(error.file).name, error.problem) from error
        return replace(summary, self_check=check)

    def check_again(self, folder: Path, manifest: Manifest) -> QuantizationCheck | None:
        """Measure the model against the logits of its float32 reference, which lie beside it."""
        if manifest.self_check is None:
            return None
        from tunesmith.musicgen.self_check import repeat_check

        return repeat_check(folder, manifest.self_check)

    def memory_needed(self, folder: Path, manifest: Manifest, num_callers: int = 1) -> int:
        """Return the bytes of the graphs and of the KV cache; a model on a GPU counts as 0, which has its own."""
        if manifest.needs_gpu:
            return 0
        return memory_needed(manifest, read_architecture(folder), GUIDED_ROWS * num_callers)

    def load(self, folder: Path, manifest: Manifest, free_memory: FreeMemory) -> Generator:
        """Return the generator, whose batch has as many rows as the memory allows."""
        from tunesmith.musicgen.generator import MusicGenGenerator

        return MusicGenGenerator(
            folder, name=manifest.name, licence=manifest.licence, digest=manifest.digest,
            engine_factory=partial(open_within_memory, free_memory),
        )  # fmt: skip

    def check_request(self, request: GenerationRequest) -> None:
        """Refuse the fields of the composer and of Stable Audio."""
        reject_composer_only_fields(request)
        reject_stable_audio_only_fields(request)

    def can_generate(self, manifest: Manifest) -> bool:
        """Return whether there is a GPU for a model that needs one."""
        return not manifest.needs_gpu or has_gpu()

    def open_parts(self, folder: Path, manifest: Manifest) -> None:  # noqa: ARG002
        """Open the tokenizer and the codec, which run without a GPU."""
        from tunesmith.musicgen.onnx.onnx_codec import OnnxCodec
        from tunesmith.neural.sessions import ALL_CORES
        from tunesmith.neural.t5_tokenizer import Tokenizer

        architecture = read_architecture(folder)
        Tokenizer(folder / TOKENIZER, architecture.text_encoder.vocabulary_size).encode("calm piano")
        OnnxCodec(folder, architecture, ALL_CORES)

    def check_trial(self, audio: Audio, manifest: Manifest) -> None:
        """Check that the sound is numbers and not silence; AudioGen, of the same family, may well generate noise."""
        from tunesmith.models.families.trial_sound import check_audible

        check_audible(audio, manifest.name)


def summarize(architecture: Architecture) -> ModelSummary:
    """Return what the manifest says of an architecture."""
    decoder = architecture.decoder
    sizes = Sizes(
        kind=MusicGenFamily.kind, hidden_size=decoder.hidden_size, num_layers=decoder.num_layers,
        num_heads=decoder.num_heads, num_codebooks=decoder.num_codebooks, audio_channels=architecture.audio_channels,
        sample_rate=architecture.codec.sample_rate, melody=architecture.chroma is not None,
    )  # fmt: skip
    return ModelSummary(sizes, decoder_parameters(architecture))


def check_model_type(text: str) -> None:
    """Check that config.json names a supported ``model_type``. Raises ModelFileError."""
    try:
        model_type = json.loads(text)["model_type"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelFileError(CONFIG, "model_type: is missing") from None
    if model_type not in MODEL_TYPES:
        raise ModelFileError(CONFIG, f"model_type: must be {' or '.join(MODEL_TYPES)}, got {model_type!r}")


def open_within_memory(free_memory: FreeMemory, folder: Path, num_rows: int) -> Engine:
    """Open the engine of an installed model, for one caller or for as many as the memory allows.

    ``num_rows`` is the maximum number of sequences that run at once; the engine may have room for fewer. Raises
    ModelFileError if a file is missing or broken.
    """
    # ONNX Runtime takes long to import, so it is loaded only now.
    from tunesmith.musicgen.open_engine import EngineOptions, open_engine
    from tunesmith.neural.sessions import SessionOptions

    settings, keep_text_encoder = load_settings(), False
    # More rows are optional, so they get only memory that is free.
    if num_rows > GUIDED_ROWS:
        manifest = read_manifest(folder)
        free = _free_on_device(settings.device, free_memory) if manifest.needs_gpu else free_memory()
        plan = plan_batch(manifest, read_architecture(folder), num_rows, free)
        num_rows, keep_text_encoder = plan.num_rows, plan.keep_text_encoder
    sessions = SessionOptions(settings.threads)
    options = EngineOptions(num_rows, sessions, keep_text_encoder=keep_text_encoder, device=settings.device)
    return open_engine(folder, options)


def _free_on_device(device: Device, free_memory: FreeMemory) -> int:
    from tunesmith.neural.torch.device import find_device
    from tunesmith.neural.torch.device import free_memory as free_on

    free = free_on(find_device(device))
    return free_memory() if free is None else free
