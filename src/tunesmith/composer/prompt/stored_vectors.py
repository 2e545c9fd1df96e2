"""Vectors that are stored in the package, with a digest of the sentences that they were encoded from."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np


def stored_vectors(name: str, digest: str) -> Mapping[str, np.ndarray[Any, Any]] | None:
    """Return the arrays of a file, such as ``anchors.npz``, or None where it is missing or has another digest."""
    path = resources.files("tunesmith.composer.prompt") / name
    if not path.is_file():
        return None
    with path.open("rb") as file, np.load(file) as stored:
        return dict(stored) if str(stored["digest"]) == digest else None
