"""Model folders made from checkpoints, the way ``tunesmith pull`` makes them."""

from __future__ import annotations

from pathlib import Path

from tunesmith.musicgen.checkpoint import open_checkpoint
from tunesmith.musicgen.conversion import convert


def converted(checkpoint: Path, folder: Path, quantization: str = "none") -> Path:
    """Convert a checkpoint's folder; return the model's."""
    convert(open_checkpoint(checkpoint), folder, quantization, lambda _: None)
    return folder
