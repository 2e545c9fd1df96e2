"""``tunesmith genres`` and ``tunesmith instruments``: the names that options and prompts accept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tunesmith.cli.console import as_json_text

AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON list.")]


def genres(as_json: AsJson = False) -> None:
    """List the genres the composer knows."""
    from tunesmith.composer.genre import genre_names, load_genre

    found = [load_genre(name) for name in genre_names()]
    rows = [(genre.name, genre.title, genre.family, f"{genre.tempo.low:g}–{genre.tempo.high:g}") for genre in found]
    _show(("name", "title", "family", "bpm"), rows, as_json)


def instruments(as_json: AsJson = False) -> None:
    """List the instruments the composer can play."""
    from tunesmith.composer.instruments import instruments as table

    rows = [(one.name, one.family, one.source) for one in table().values()]
    _show(("name", "family", "source"), sorted(rows, key=lambda row: (row[1], row[0])), as_json)


def _show(names: tuple[str, ...], rows: Sequence[tuple[str, ...]], as_json: bool) -> None:
    if as_json:
        typer.echo(as_json_text([dict(zip(names, row, strict=True)) for row in rows]))
        return
    from tunesmith.cli.tables import print_table

    print_table(names, rows)
