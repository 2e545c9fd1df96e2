"""``tunesmith explain``: show how the composer reads a prompt, and why."""

from __future__ import annotations

from typing import Annotated

import typer

SEED_HELP = "Seed for what the prompt leaves open; -1: random."


def explain(
    prompt: Annotated[str, typer.Argument(help="The prompt to explain.")],
    seed: Annotated[int, typer.Option(min=-1, metavar="N", help=SEED_HELP)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show how the composer understands a prompt, and the reason for each choice."""
    from tunesmith.cli.console import as_json_text, print_warning
    from tunesmith.composer.prompt import read_brief
    from tunesmith.request import GenerationRequest

    request = GenerationRequest.checked(prompt=prompt, seed=seed)
    brief = read_brief(request.with_drawn_seed())
    if as_json:
        typer.echo(as_json_text(brief.explanation()))
        return
    rows = [(reason.field, reason.value, reason.source, reason.because) for reason in brief.reasons]
    from tunesmith.cli.tables import print_table

    print_table(("what", "answer", "from", "because"), rows)
    for warning in brief.warnings:
        print_warning(warning)
