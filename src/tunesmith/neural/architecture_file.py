"""The architecture file of a model folder: JSON that conversion writes last, so a folder without it is unfinished."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.errors import ModelFileError
from tunesmith.plain_text import is_text

ARCHITECTURE = "architecture.json"
Parsed = TypeVar("Parsed")


def write_architecture_file(folder: Path, values: Mapping[str, Any]) -> None:
    """Write the architecture, as a JSON object, to the model folder."""
    (folder / ARCHITECTURE).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def read_architecture_file(folder: Path, parse: Callable[[Mapping[str, Any]], Parsed]) -> Parsed:
    """Read the architecture of a model folder; ``parse`` makes it of the JSON object.

    ``parse`` raises ValueError, KeyError or TypeError for anything else. Raises ModelFileError if the file is missing
    or damaged.
    """
    path = folder / ARCHITECTURE
    # The libraries that open the graphs accept UTF-8 paths only.
    if not is_text(str(folder)):
        raise ModelFileError(str(path), "the name of its folder must be UTF-8; rename the folder")
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelFileError(str(path), f"cannot be read: {error.strerror}; pull the model again") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(str(path), f"is damaged ({error}); pull the model again") from None
