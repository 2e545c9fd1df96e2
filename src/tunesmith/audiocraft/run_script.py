"""Running of a script that was written for AudioCraft, unchanged."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from tunesmith.audiocraft.import_hook import installed
from tunesmith.errors import InvalidRequest

HINTS = {"torch": "pip install torch", "torchaudio": "pip install torchaudio"}
"""What to do about packages that scripts for AudioCraft import and Tunesmith does without."""


def run_script(script: Path, arguments: Sequence[str]) -> None:
    """Run a Python script as ``python script.py arguments`` would, with this package as its ``audiocraft``.

    Raises InvalidRequest for a missing file or a missing package that AudioCraft would have brought, and whatever the
    script raises.
    """
    if not script.is_file():
        raise InvalidRequest("script", f"cannot read {script}: file not found")
    argv, path = sys.argv[:], sys.path[:]
    sys.argv[:] = [str(script), *arguments]
    sys.path.insert(0, str(script.resolve().parent))
    try:
        with installed():
            runpy.run_path(str(script), run_name="__main__")
    except ModuleNotFoundError as error:
        hint = HINTS.get((error.name or "").partition(".")[0])
        if hint is None:
            raise
        raise InvalidRequest("script", f"{script} imports {error.name}, which is not here: {hint}") from error
    finally:
        sys.argv[:], sys.path[:] = argv, path
