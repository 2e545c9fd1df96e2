"""``tunesmith explain``: show how the composer reads a prompt, and why, and what it would write."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli import options

if TYPE_CHECKING:
    from tunesmith.composer.arrangement import ArrangedSection, Arrangement

SEED_HELP = "Seed for what the prompt leaves open; -1: random."
MARKS, ASCII_MARKS = "●◐·", "#+-"
"""Plays in every bar of a section, in some, in none; the latter for a terminal whose encoding lacks the former."""


def explain(
    prompt: Annotated[str, typer.Argument(help="The prompt to explain.")],
    seed: Annotated[int, typer.Option(min=-1, metavar="N", help=SEED_HELP)] = 0,
    duration: options.Duration = None,
    plot: options.Plot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show how the composer understands a prompt, the reason for each choice, and the arrangement it writes.

    In the table of parts, ● plays in every bar of a section, ◐ in some of them, · in none.
    """
    from tunesmith.cli.console import as_json_text, print_warning
    from tunesmith.composer.arrangement import arrangement_of
    from tunesmith.composer.check_request import check_request
    from tunesmith.composer.writing import write_score
    from tunesmith.request import GenerationRequest

    if plot is not None:
        from tunesmith.output_files import check_plot

        check_plot(plot)
    request = GenerationRequest.checked(prompt=prompt, seed=seed, duration=duration)
    brief = check_request(request.with_drawn_seed())
    # Not compose(): what renders sound takes longer to load than the score to write.
    written = write_score(brief)
    arrangement, warnings = arrangement_of(written.score), (*brief.warnings, *written.warnings)
    if plot is not None:
        from tunesmith.composer.score_plot import draw_score

        draw_score(written.score, plot)
    if as_json:
        explained = {**brief.explanation(), "warnings": list(warnings)}
        typer.echo(as_json_text({**explained, "arrangement": arrangement.as_json()}))
        return
    from tunesmith.cli.tables import print_table

    rows = [(reason.field, reason.value, reason.source, reason.because) for reason in brief.reasons]
    print_table(("what", "answer", "from", "because"), rows)
    _print_arrangement(arrangement)
    for warning in warnings:
        print_warning(warning)


def _print_arrangement(arrangement: Arrangement) -> None:
    from tunesmith.cli.tables import print_table

    sections = enumerate(arrangement.sections, start=1)
    typer.echo()
    print_table(("section", "bars", "from", "energy", "chords"), [_section_row(*numbered) for numbered in sections])
    numbers = [str(number) for number in range(1, len(arrangement.sections) + 1)]
    bars, marks = [section.bars for section in arrangement.sections], _marks()
    rows = []
    for part in arrangement.parts:
        counts = zip(part.bars_played, bars, strict=True)
        shown = [marks[2] if not played else marks[0] if played >= of else marks[1] for played, of in counts]
        rows.append((part.name, part.instrument, *shown))
    typer.echo()
    print_table(("part", "instrument", *numbers), rows)


def _section_row(number: int, section: ArrangedSection) -> tuple[str, ...]:
    from tunesmith.composer.arrangement import clock_time, shortened

    start, energy = clock_time(section.start), f"{section.energy:.2f}"
    return (f"{number} {section.name}", str(section.bars), start, energy, shortened(section.chords))


def _marks() -> str:
    try:
        MARKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return ASCII_MARKS
    return MARKS
