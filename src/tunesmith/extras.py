"""Extras: the install commands of optional features."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

DISTRIBUTION = "tunesmith"
_OF_EXTRA = re.compile(r"(?P<package>[^;]+);.*extra == ['\"](?P<extra>\w+)['\"]")


def install_command(extra: str) -> str:
    """Return the pip command that installs the packages of an extra.

    It names the packages and never this project: anyone may register the project's name at a package index, and would
    then run code on the machine of every user who installs it by name.
    """
    packages = " ".join(f'"{package}"' for package in packages_of(extra))
    return f"pip install {packages}" if packages else f'pip install ".[{extra}]" in the folder of the source'


def packages_of(extra: str) -> tuple[str, ...]:
    """Return the requirements of an extra, such as ``redis>=5.2``; empty if this project runs uninstalled."""
    try:
        found = (_OF_EXTRA.fullmatch(line) for line in requires(DISTRIBUTION) or ())
    except PackageNotFoundError:
        return ()
    return tuple(one["package"].strip() for one in found if one and one["extra"] == extra)
