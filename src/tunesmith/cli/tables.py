"""Tables on a terminal, tab-separated lines for programs in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def print_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows under their column names on a terminal; print the rows alone elsewhere."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))  # noqa: T201
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*names, box=None, header_style="bold")
    for row in rows:
        # Prompts and file names may look like Rich markup.
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)
