"""The Typer application: all commands, their help panels, and the epilog with the exit codes."""

from __future__ import annotations

import functools
from typing import Annotated, Any

import typer

import tunesmith
from tunesmith.cli.arrange import fit, loop, stitch
from tunesmith.cli.audio import convert, fade, info, normalize, trim
from tunesmith.cli.backup import backup, restore
from tunesmith.cli.batch import batch
from tunesmith.cli.explain import explain
from tunesmith.cli.generate import generate
from tunesmith.cli.live import live
from tunesmith.cli.mcp import mcp
from tunesmith.cli.models import check, list_models, pull, rm, show
from tunesmith.cli.play import play
from tunesmith.cli.ps import ps
from tunesmith.cli.render import render
from tunesmith.cli.repeat import again, vary
from tunesmith.cli.run_audiocraft import SCRIPT_CONTEXT, run_audiocraft
from tunesmith.cli.score import app as score
from tunesmith.cli.serve import serve
from tunesmith.cli.studio import studio
from tunesmith.cli.token import app as token
from tunesmith.cli.track_commands import app as log
from tunesmith.cli.vocabulary import genres, instruments

EPILOG = "Exit codes: 0 success, 1 failure, 2 invalid input, 130 stopped with Ctrl-C, 143 terminated."

app = typer.Typer(
    name="tunesmith",
    help='Generate background music from text: tunesmith "lofi hip hop with rain sounds, 90 bpm" -o lofi.wav',
    epilog=EPILOG,
    add_completion=False,
    # A bug keeps Python's own traceback; entry_point turns every other error into one line.
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for sound_command in (info, stitch, loop, fit, trim, fade, convert, normalize):
    app.command(epilog=EPILOG, rich_help_panel="Audio files")(sound_command)
# The help lists the commands in this order.
COMMANDS = (
    generate, live, again, vary, play, batch, render, explain, genres, instruments, pull, show, check, rm, mcp, serve,
    studio, ps, backup, restore,
)  # fmt: skip
for command in COMMANDS:
    app.command(epilog=EPILOG)(command)
app.command("list", epilog=EPILOG)(list_models)
app.command("run-audiocraft", epilog=EPILOG, context_settings=SCRIPT_CONTEXT)(run_audiocraft)
app.add_typer(log, name="log", epilog=EPILOG)
app.add_typer(score, name="score", epilog=EPILOG)
app.add_typer(token, name="token", epilog=EPILOG)


def _show_version(show: bool) -> None:
    if show:
        typer.echo(f"tunesmith {tunesmith.__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", callback=_show_version)] = False,
) -> None:
    """Generate background music from text.

    tunesmith "PROMPT" is short for tunesmith generate "PROMPT".
    """


@functools.cache
def root_command() -> Any:
    """Return the Click group of the application, built once in a process: Typer reads every signature for it."""
    return typer.main.get_command(app)
