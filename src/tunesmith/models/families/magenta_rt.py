"""Magenta RealTime 2 as a family of models: its files, its conversion, its memory and its generator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.audio import Audio
from tunesmith.config import load_settings
from tunesmith.errors import ModelFileError
from tunesmith.generator import Generator
from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.checkpoint.file_names import CHECKPOINT, OPTIONAL, REQUIRED, USE_INSTEAD
from tunesmith.magenta_rt.licence_file import MODEL_NOTICE
from tunesmith.magenta_rt.model_folder import (
    CODEBOOKS,
    CODEC,
    DEPTH,
    DEPTH_EMBEDDINGS,
    FRAME_EMBEDDINGS,
    TEMPORAL,
    read_architecture,
)
from tunesmith.models.families.family import FreeMemory, ModelSummary
from tunesmith.models.manifest import Manifest, Sizes, read_manifest
from tunesmith.models.repository_files import ReadText, RemoteFile, Repository
from tunesmith.models.resource_checks import PROCESS_BYTES, available_memory, check_memory
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.magenta_rt.checkpoint.checkpoint import MagentaCheckpoint
    from tunesmith.magenta_rt.open_model import MagentaModel

LANGUAGE_MODEL = "params/depthformer/"
CONVERTED_SHARE: Mapping[str, float] = {"int8": 0.42, "int8-32": 0.44, "none": 1.1}
"""The size of the language model and the codec once converted, relative to their weights in fp32."""
STYLE_SHARE: Mapping[str, float] = {"int8": 0.37, "int8-32": 0.37, "none": 1.02}
"""The same for the style encoder."""
HALF_PRECISION_BYTES = 800_000_000
"""A checkpoint below this size holds its 282 million numbers in 16 bits."""
NO_MAPPER = f"{OPTIONAL[0]} was not there: prompts are not mapped to how recordings of them sound, and say less"
CONVERSION_SHARE = 0.5
"""The share of the conversion in the progress, where a self-check follows."""
NOT_RUN = re.compile(r"(?:^|/)(?:mrt2|magenta-r(?:t|t2|t-2|ealtime-2))[-_]base\b", re.IGNORECASE)
FIRST_GENERATION = re.compile(r"(?:^|/)magenta-r(?:t|ealtime)$", re.IGNORECASE)
FLOAT_BYTES, STREAM_BYTES = 4, 30_000_000
"""The memory of a stream beside its ring of past frames: what the codec remembers, and sound that waits."""


class MagentaFamily:
    """Magenta RealTime 2 small, in the layout of ``google/magenta-realtime-2``; see ModelFamily."""

    kind = "magenta-rt"
    quantizations = tuple(CONVERTED_SHARE)
    names = ()

    def holds(self, repository: Repository) -> bool:
        """Return whether the repository has the checkpoint under its published name."""
        return repository.file(CHECKPOINT) is not None

    def refuse(self, hub_id: str) -> str | None:
        """Refuse the larger model, and the first generation, which is another model."""
        if NOT_RUN.search(hub_id):
            return f"{hub_id} is not supported, because it is too large for a processor: {USE_INSTEAD}"
        if FIRST_GENERATION.search(hub_id):
            return f"{hub_id} is the first Magenta RealTime, which is not supported: {USE_INSTEAD}"
        return None

    def choose_files(
        self, repository: Repository, read_text: ReadText, wanted: Sequence[str] = ()  # noqa: ARG002
    ) -> tuple[RemoteFile, ...]:  # fmt: skip
        """Return the five files of the model, or four where there is no mapper."""
        missing = next((name for name in REQUIRED if repository.file(name) is None), None)
        # Found out now rather than after a gigabyte of the others.
        if missing is not None:
            raise ModelFileError(missing, f"is not in {repository.hub_id}")
        return repository.present((*REQUIRED, *OPTIONAL))

    def converted_bytes(self, repositories: Sequence[Repository], quantization: str) -> int:
        """Return about how many bytes the model takes once converted."""
        repository = repositories[0]
        checkpoint = repository.file(CHECKPOINT)
        stored = checkpoint.bytes if checkpoint else 0
        full = stored * 2 if stored < HALF_PRECISION_BYTES else stored
        style = sum(file.bytes for name in (*REQUIRED[1:], *OPTIONAL) if (file := repository.file(name)))
        return round(full * CONVERTED_SHARE[quantization] + style * STYLE_SHARE[quantization])

    def needed_companions(self, folder: Path) -> Sequence[str]:  # noqa: ARG002
        """Return no repository: the checkpoint contains every part."""
        return ()

    # Reading checkpoints and building graphs take long to import, so the imports wait until the files are here.

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,  # noqa: ARG002
        progress: Callable[[float], None],
    ) -> ModelSummary:  # fmt: skip
        """Convert the checkpoint to graphs, whose logits are measured if quantized."""
        from tunesmith.magenta_rt.checkpoint.checkpoint import open_checkpoint
        from tunesmith.magenta_rt.conversion import convert
        from tunesmith.magenta_rt.self_check import quantize_within_limit

        checkpoint = open_checkpoint(folder)
        if quantization == "none":
            convert(checkpoint, target, quantization, progress)
            return _summary(checkpoint, None)
        convert(checkpoint, target, quantization, lambda fraction: progress(CONVERSION_SHARE * fraction))
        # The check opens the model and its reference, so what a trial would refuse is refused before.
        check_memory(target.stem, _check_bytes(target), available_memory())
        try:
            check = quantize_within_limit(
                target, checkpoint, quantization,
                lambda fraction: progress(CONVERSION_SHARE + (1 - CONVERSION_SHARE) * fraction),
            )  # fmt: skip
        except ModelFileError as error:
            # The temporary build folder means nothing to the user.
            raise ModelFileError(Path(error.file).name, error.problem) from error
        return _summary(checkpoint, check)

    def check_again(self, folder: Path, manifest: Manifest) -> QuantizationCheck | None:
        """Measure the model against the logits of its float32 reference, which lie beside it."""
        if manifest.self_check is None:
            return None
        from tunesmith.magenta_rt.self_check import repeat_check

        return repeat_check(folder, manifest.self_check)

    def memory_needed(self, folder: Path, manifest: Manifest, num_callers: int = 1) -> int:
        """Return the bytes of graphs and tables that stay open, of the past of each stream, and of the process."""
        graphs = (f"{name}.data" for name in (TEMPORAL, DEPTH, CODEC))
        sizes = {file.name: file.bytes for file in manifest.files}
        weights = sum(sizes.get(name, 0) for name in (*graphs, FRAME_EMBEDDINGS, DEPTH_EMBEDDINGS, CODEBOOKS))
        return weights + num_callers * stream_bytes(read_architecture(folder)) + PROCESS_BYTES

    def load(self, folder: Path, manifest: Manifest, free_memory: FreeMemory) -> Generator:
        """Return the generator, whose batch has as many rows as half of the free memory allows."""
        from tunesmith.magenta_rt.generator import MagentaGenerator

        return MagentaGenerator(
            folder, name=manifest.name, licence=manifest.licence, digest=manifest.digest,
            model_factory=partial(_open_within_memory, free_memory),
        )  # fmt: skip

    def check_request(self, request: GenerationRequest) -> None:
        """Refuse the fields that only other models have."""
        from tunesmith.magenta_rt.request_mapping import check_fields

        check_fields(request)

    def can_generate(self, manifest: Manifest) -> bool:  # noqa: ARG002
        """Return True: the model runs on any processor."""
        return True

    def open_parts(self, folder: Path, manifest: Manifest) -> None:  # noqa: ARG002
        """Open the style encoder."""
        from tunesmith.magenta_rt.style.encoder import StyleEncoder

        StyleEncoder(folder).encode([("calm piano", 1.0)], 0)

    def check_trial(self, audio: Audio, manifest: Manifest) -> None:
        """Check that the sound is neither silence nor clipped nor noise: nobody here has heard the real weights."""
        from tunesmith.models.families.trial_sound import check_sound

        check_sound(audio, manifest.name)


def _open_within_memory(free_memory: FreeMemory, folder: Path, num_rows: int) -> MagentaModel:
    """Open a model for one stream, or for as many as half of the free memory allows."""
    from tunesmith.magenta_rt.open_model import open_model
    from tunesmith.neural.sessions import SessionOptions

    rows = num_rows
    if num_rows > 1:
        # More streams are optional, so they get only memory that is free; the other half is for other models.
        manifest, family = read_manifest(folder), MagentaFamily()
        spare = free_memory() - family.memory_needed(folder, manifest)
        rows = min(num_rows, 1 + max(0, spare) // 2 // stream_bytes(read_architecture(folder)))
    return open_model(folder, rows, SessionOptions(load_settings().threads))


def _check_bytes(folder: Path) -> int:
    """Return the memory that the self-check takes: the model, and a reference of twice its size."""
    weights = sum((folder / f"{name}.data").stat().st_size for name in (TEMPORAL, DEPTH))
    return 3 * weights + PROCESS_BYTES


def stream_bytes(architecture: MagentaArchitecture) -> int:
    """Return the memory of one stream: keys and values of self- and cross-attention for the frames it sees."""
    temporal = architecture.temporal
    # The sink and the present frame beside the past ones.
    slots = architecture.window_frames + 2
    return 4 * temporal.num_layers * slots * temporal.attention_size * FLOAT_BYTES + STREAM_BYTES


def _summary(checkpoint: MagentaCheckpoint, check: QuantizationCheck | None) -> ModelSummary:
    from tunesmith.magenta_rt.checkpoint.published_shapes import published_shapes

    architecture = checkpoint.architecture
    temporal, shapes = architecture.temporal, published_shapes(architecture)
    sizes = Sizes(
        kind=MagentaFamily.kind, hidden_size=temporal.hidden_size, num_layers=temporal.num_layers,
        num_heads=temporal.num_heads, num_codebooks=architecture.num_codebooks,
        audio_channels=architecture.codec.audio_channels, sample_rate=architecture.codec.sample_rate, melody=False,
        continues=False,
    )  # fmt: skip
    parameters = sum(prod(shape) for name, shape in shapes.items() if name.startswith(LANGUAGE_MODEL))
    return ModelSummary(sizes, parameters, check, MODEL_NOTICE, "" if checkpoint.mapper else NO_MAPPER)
