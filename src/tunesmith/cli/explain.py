"""``tunesmith explain``: what the composer understands of a prompt, a track or a file, and why, and what it writes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunesmith.cli.explained_score import ExplainedScore
    from tunesmith.composer.arrangement import ArrangedSection, Arrangement

SOURCE_HELP = "A prompt, a track's id, a sound file written by Tunesmith, a score file or a MIDI file."
SEED_HELP = "Seed for what the prompt leaves open; 0 without it, -1: random."
MARKS, ASCII_MARKS = "●◐·", "#+-"
"""Plays in every bar of a section, in some, in none; the latter for a terminal whose encoding lacks the former."""


def explain(
    source: Annotated[str, typer.Argument(metavar="PROMPT|ID|FILE", help=SOURCE_HELP)],
    seed: Annotated[int | None, typer.Option(min=-1, metavar="N", help=SEED_HELP)] = None,
    duration: options.Duration = None,
    plot: options.Plot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show how the composer understands a prompt, the reason for each choice, and the arrangement it writes.

    It also explains an existing piece: a track of the log, a sound file, a score file or a MIDI file. In the table of
    parts, ● plays in every bar of a section, ◐ in some of them, · in none.
    """
    from tunesmith.cli.console import as_json_text, print_warning
    from tunesmith.cli.explained_score import explain_source
    from tunesmith.composer.arrangement import arrangement_of
    from tunesmith.config import load_settings

    if plot is not None:
        from tunesmith.output_files import check_plot

        check_plot(plot)
    piece = explain_source(source, seed, duration, load_settings())
    arrangement = arrangement_of(piece.score)
    if plot is not None:
        from tunesmith.composer.score_plot import draw_score

        draw_score(piece.score, plot)
    if as_json:
        typer.echo(as_json_text({**piece.as_json(), "arrangement": arrangement.as_json()}))
        return
    _print_reasons(piece)
    _print_arrangement(arrangement)
    for warning in piece.warnings:
        print_warning(warning)


def _print_reasons(piece: ExplainedScore) -> None:
    from tunesmith.cli.tables import print_table
    from tunesmith.composer.explanation.labels import mood_label

    labels = {"mood": mood_label}
    rows = [
        (one.field, labels.get(one.field, str)(one.value), one.source, one.because)
        for one in map(piece.final, piece.reasons)
    ]
    print_table(("what", "answer", "from", "because"), rows)


def _print_arrangement(arrangement: Arrangement) -> None:
    from tunesmith.cli.tables import print_table

    sections = enumerate(arrangement.sections, start=1)
    typer.echo()
    print_table(("section", "bars", "from", "energy", "chords"), [_section_row(*numbered) for numbered in sections])
    numbers = [str(number) for number in range(1, len(arrangement.sections) + 1)]
    bars, marks = [section.bars for section in arrangement.sections], _marks()
    rows: list[Sequence[str]] = []
    for part in arrangement.parts:
        counts = zip(part.bars_played, bars, strict=True)
        shown = [marks[2] if not played else marks[0] if played >= of else marks[1] for played, of in counts]
        rows.append((part.name, part.instrument, *shown))
    typer.echo()
    print_table(("part", "instrument", *numbers), rows)


def _section_row(number: int, section: ArrangedSection) -> tuple[str, ...]:
    from tunesmith.composer.arrangement import clock_time, shortened

    start = clock_time(section.start)
    return (f"{number} {section.name}", str(section.bars), start, f"{section.energy:.2f}", shortened(section.chords))


def _marks() -> str:
    try:
        MARKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return ASCII_MARKS
    return MARKS
