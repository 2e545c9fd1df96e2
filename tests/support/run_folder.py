"""Folders that one worker of a run makes and all copy, for what takes seconds to make."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

VARIABLE = "TEST_RUN_FOLDER"
"""Names the folder of the run, which conftest.py makes."""


def copy_of_shared(name: str, folder: Path, make: Callable[[Path], object]) -> None:
    """Copy into a folder what ``make`` writes into one; it is called once in a run for each name."""
    shared = Path(os.environ[VARIABLE], name)
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            unfinished = Path(f"{shared}.part")
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(shared)
    shutil.copytree(shared, folder, dirs_exist_ok=True)
