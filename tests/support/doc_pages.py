"""Pages of documentation whose code is run: its blocks, and what they are run with.

A block of code is run where the line before it is ``<!-- tested -->``. A block in ``json`` or ``text`` straight after
one in ``sh`` shows what that prints.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forked_python import run_program

ROOT = Path(__file__).parent.parent.parent
USUAL_ADDRESS = "http://127.0.0.1:8765"
"""Where pages say that the server is."""

_BLOCK = re.compile(
    r"<!-- (?P<marker>tested[^>]*?) -->\n```(?P<language>\w+)\n(?P<code>.*?)```\n"
    r"(?:\n?```(?:json|text)\n(?P<shown>.*?)```)?",
    flags=re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of code that is run. ``shown`` is what the page says that it prints."""

    marker: str
    language: str
    code: str
    shown: str | None


def read_page(name: str) -> str:
    """Return a page by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks_of(page: str, language: str, marker: str = "tested") -> list[Block]:
    """Return the blocks of a page that are run, in a language and with a marker."""
    found = [Block(one["marker"], one["language"], one["code"], one["shown"]) for one in _BLOCK.finditer(page)]
    return [block for block in found if (block.language, block.marker) == (language, marker)]


def run_shell(blocks: Sequence[Block], folder: Path, **variables: str) -> list[str]:
    """Run blocks one after another in one shell, which stops at the first failure; return what each printed."""
    mark = "=== the next block ==="
    script = "set -euo pipefail\n" + f"echo; echo '{mark}'\n".join(block.code for block in blocks)
    printed = run_code(["bash", "-c", script], folder, **variables).split(f"\n{mark}\n")
    assert len(printed) == len(blocks)
    return printed


def run_code(command: Sequence[str], folder: Path, **variables: str) -> str:
    """Run a command in a folder, with ``tunesmith`` and this Python on the path; return what it printed."""
    here = str(Path(sys.executable).parent)
    path = here + os.pathsep + os.environ["PATH"]
    environment = {"PYTHONUTF8": "1", "NO_COLOR": "1", "PATH": path, **variables}
    done = run_program(command, folder, environment, encoding="utf-8")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return str(done.stdout)


def agrees(shown: str, printed: str) -> bool:
    """Tell whether what a page shows is what was printed: the same fields of JSON, the same words that begin lines."""
    if shown.lstrip().startswith(("{", "[")):
        return _has_fields(json.loads(printed), json.loads(shown))
    begun = {_beginning(line) for line in printed.splitlines()}
    return all(_beginning(line) in begun for line in shown.splitlines() if line.strip() not in ("", "…"))


def _beginning(line: str) -> str:
    """Return the first word of a line; of a line that begins an event, or an answer, all of it."""
    return line.strip() if line.startswith(("event:", "HTTP/")) else line.split()[0] if line.split() else ""


def _has_fields(printed: Any, shown: Any) -> bool:
    """Compare the names of fields; ``{}`` and null on a page stand for whatever there is."""
    if shown == {}:
        return isinstance(printed, Mapping)
    if isinstance(shown, Mapping):
        same = isinstance(printed, Mapping) and set(printed) == set(shown)
        return same and all(value is None or _has_fields(printed[name], value) for name, value in shown.items())
    if isinstance(shown, list):
        return isinstance(printed, list) and (not shown or (bool(printed) and _has_fields(printed[0], shown[0])))
    return True
