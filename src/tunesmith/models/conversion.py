"""Conversion: what pulling asks of a family of models, so that the store does not depend on how one is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from tunesmith.musicgen.architecture import Architecture


class Converter(Protocol):
    """Turns published weights into the files of an installed model."""

    @property
    def model_types(self) -> tuple[str, ...]:
        """What ``model_type`` may be in config.json."""
        ...

    def companions(self, folder: Path) -> tuple[str, ...]:
        """Return the hub ids of the repositories that hold what the checkpoint lacks; raises ModelFileError."""
        ...

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> Architecture:  # fmt: skip
        """Convert the checkpoint in ``folder`` into ``target``; raises ModelFileError for what is not one."""
        ...


class MusicGenConverter:
    """The MusicGen family, in Hugging Face's layout and audiocraft's."""

    model_types = ("musicgen", "musicgen_melody")

    def companions(self, folder: Path) -> tuple[str, ...]:
        """Return the hub ids of the text encoder and codec that an audiocraft checkpoint points to."""
        from tunesmith.musicgen.checkpoint import needed_companions

        return tuple(needed_companions(folder))

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> Architecture:  # fmt: skip
        """Convert tensor by tensor."""
        from tunesmith.musicgen.checkpoint import open_checkpoint
        from tunesmith.musicgen.conversion import convert

        checkpoint = open_checkpoint(folder, companions)
        convert(checkpoint, target, quantization, progress)
        return checkpoint.architecture
