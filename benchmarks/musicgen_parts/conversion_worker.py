"""Converts a checkpoint into a model's folder: python -m musicgen_parts.conversion_worker CHECKPOINT FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tunesmith.musicgen.checkpoint import open_checkpoint
from tunesmith.musicgen.conversion import convert


def main(checkpoint: Path, folder: Path) -> None:
    """Convert, and say that it is done."""
    convert(open_checkpoint(checkpoint), folder, "int8", lambda _: None)
    print(json.dumps({"converted": True}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
