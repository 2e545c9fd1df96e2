"""ModelFamily: what the model store asks of a family of models, such as MusicGen or Stable Audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tunesmith.audio import Audio
from tunesmith.generator import Generator
from tunesmith.models.manifest import Manifest, Sizes
from tunesmith.models.repository_files import ReadText, RemoteFile, Repository
from tunesmith.neural.quantization_check import QuantizationCheck
from tunesmith.request import GenerationRequest

FreeMemory = Callable[[], int]
"""A function that returns the bytes of memory that may still be allocated."""


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What a conversion tells the manifest: the sizes, and the number of parameters by which the model is known.

    ``self_check`` is what it measured of the quantized model, if anything; ``notice`` and ``remark`` are
    those of the manifest.
    """

    sizes: Sizes
    parameters: int
    self_check: QuantizationCheck | None = None
    notice: str = ""
    remark: str = ""


class ModelFamily(Protocol):
    """A family of models: its published files, its conversion and its generator.

    ``kind`` names it in manifests, ``quantizations`` are its forms, the first one the default. ``names`` are names of
    the whole family: any installed model serves them.
    """

    @property
    def kind(self) -> str:
        """The name in manifests."""
        ...

    @property
    def quantizations(self) -> tuple[str, ...]:
        """The values of ``--quantize``."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The names that any installed model serves."""
        ...

    def holds(self, repository: Repository) -> bool:
        """Return whether a repository, by the names of its files, holds a model of this family."""
        ...

    def refuse(self, hub_id: str) -> str | None:
        """Return why a published model of this name is not run here and what to use instead, or None."""
        ...

    def choose_files(
        self, repository: Repository, read_text: ReadText, wanted: Sequence[str]
    ) -> tuple[RemoteFile, ...]:
        """Return the files to download; ``wanted`` are those that the catalog names, if any.

        Checks the configuration before anything large is fetched. Raises ModelFileError.
        """
        ...

    def converted_bytes(self, repositories: Sequence[Repository], quantization: str) -> int:
        """Return about how many bytes a model takes once converted, from its files and those of its companions."""
        ...

    def needed_companions(self, folder: Path) -> Sequence[str]:
        """Return the repositories with parts that a checkpoint folder lacks. Raises ModelFileError."""
        ...

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> ModelSummary:  # fmt: skip
        """Convert a checkpoint folder and its companions into a target folder. Raises ModelFileError."""
        ...

    def check_again(self, folder: Path, manifest: Manifest) -> QuantizationCheck | None:
        """Measure an installed model on this processor, as its pull did; None where the pull measured nothing.

        Raises ModelFileError if the model computes no numbers or a file is damaged.
        """
        ...

    def memory_needed(self, folder: Path, manifest: Manifest, num_callers: int = 1) -> int:
        """Return a lower bound of the bytes to generate for so many callers at once. Raises ModelFileError."""
        ...

    def load(self, folder: Path, manifest: Manifest, free_memory: FreeMemory) -> Generator:
        """Return the generator of a model folder, which opens it at the first request."""
        ...

    def check_request(self, request: GenerationRequest) -> None:
        """Raise InvalidRequest for a field that no model of the family has; a model checks the others when it runs."""
        ...

    def can_generate(self, manifest: Manifest) -> bool:
        """Return whether this machine has what the model runs on."""
        ...

    def open_parts(self, folder: Path, manifest: Manifest) -> None:
        """Open what opens on any machine, where the model cannot generate. Raises ModelFileError."""
        ...

    def check_trial(self, audio: Audio, manifest: Manifest) -> None:
        """Check the sound of a trial. Raises ModelFileError if the model does not generate music."""
        ...
