"""Doubts: what looks like a mistake in how the server is set up, though it can be served like that; for the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tunesmith.config import FILE_VARIABLE, Settings
from tunesmith.suggestions import near_names

PREFIX = "TUNESMITH_"
OF_CLIENTS = ("TUNESMITH_TOKEN", "TUNESMITH_URL")
ALIKE = 0.85
"""How like a setting's name another must be to be taken for a slip of the pen: programs may have variables too."""


def config_warnings(environment: Mapping[str, str]) -> Iterator[str]:
    """Give a line for each."""
    file = environment.get(FILE_VARIABLE)
    if file and not Path(file).exists():
        yield f"there is no file {file}, which {FILE_VARIABLE} names: the defaults hold"
    yield from misspelt_variables(environment)


def misspelt_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each variable that is nearly called like a setting."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in (*known, *OF_CLIENTS):
            for meant in near_names(name, known, cutoff=ALIKE):
                yield f"{name} is no setting and changes nothing; did you mean {meant}?"
