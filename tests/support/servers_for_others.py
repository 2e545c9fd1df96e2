"""Really started servers for tests that are not written in Python: told as a line of JSON, there until stdin ends.

``python tests/support/servers_for_others.py`` prints ``open``, the address of an open server; ``guarded``, that of one
which wants tokens, with a good ``token`` and one that is good for a piece a day, ``meagre``; and ``folder``, in which
the generator ``patient`` of strange_generators.py may look for the files that end its work. Both have the generators
of live_generators.py.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import live_generators
import pytest
from serving import serving


@contextmanager
def servers_in(folder: Path) -> Iterator[str]:
    """Serve under a folder until the block ends; gives what is told, as a line of JSON."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", live_generators.install(folder / "live"))
        with _serving(folder) as told:
            yield told


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    with (
        serving(folder / "open", composer_processes="1") as server,
        serving(folder / "guarded", composer_processes="1") as guarded,
    ):
        told = {
            "open": server.url,
            "guarded": guarded.url,
            "token": guarded.token(),
            "meagre": guarded.token(quota="1/day"),
            "folder": str(folder),
        }
        yield json.dumps(told)


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory() as name, servers_in(Path(name)) as told:
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
