"""Model folders made from checkpoints, the way ``tunesmith pull`` makes them."""

from __future__ import annotations

from pathlib import Path

from checkpoints import copy_musicgen

from tunesmith.models.pull import PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import InstalledModel, Store
from tunesmith.musicgen.checkpoint import open_checkpoint
from tunesmith.musicgen.conversion import convert


def converted(checkpoint: Path, folder: Path, quantization: str = "none") -> Path:
    """Convert a checkpoint's folder; return the model's."""
    convert(open_checkpoint(checkpoint), folder, quantization, lambda _: None)
    return folder


def installed_tiny(checkpoint: Path, data_dir: Path) -> InstalledModel:
    """Write a tiny random checkpoint and install it, in 8 bits, under the name of its folder."""
    copy_musicgen(checkpoint)
    (checkpoint / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    tools = PullTools(Store(data_dir))
    return pull(PullRequest(str(checkpoint)), tools, lambda _: None, lambda _: None)
