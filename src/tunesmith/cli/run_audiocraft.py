"""``tunesmith run-audiocraft``: run a script that was written for Meta's AudioCraft."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

ScriptFile = Annotated[Path, typer.Argument(metavar="SCRIPT", help="A Python script that imports audiocraft.")]
ScriptArguments = Annotated[list[str] | None, typer.Argument(metavar="ARGUMENT", help="Arguments of the script.")]
# What follows the script belongs to it, options too.
SCRIPT_CONTEXT = {"allow_interspersed_args": False, "ignore_unknown_options": True}


def run_audiocraft(script: ScriptFile, arguments: ScriptArguments = None) -> None:
    """Run a script written for AudioCraft: its import audiocraft means tunesmith.audiocraft.

    tunesmith run-audiocraft make_music.py
    """
    from tunesmith.audiocraft.run_script import run_script
    from tunesmith.cli.console import print_error
    from tunesmith.errors import GenerationCancelled, TunesmithError

    try:
        run_script(script, arguments or [])
    except GenerationCancelled:
        raise
    except TunesmithError as error:
        line = _last_line(error.__traceback__, script)
        place = f"{script}, line {line}: " if line else ""
        raise typer.Exit(print_error(f"{place}{error}", error.exit_code)) from None
    # A mistake of the script itself: its author needs the traceback, from the script on.
    except Exception as error:
        traceback.print_exception(error.with_traceback(_from_script(error.__traceback__, script)))
        raise typer.Exit(1) from None


def _from_script(trace: TracebackType | None, script: Path) -> TracebackType | None:
    """Return the traceback from the first frame of the script on; all of it if the script has none."""
    here = trace
    while here and here.tb_frame.f_code.co_filename != str(script):
        here = here.tb_next
    return here or trace


def _last_line(trace: TracebackType | None, script: Path) -> int | None:
    """Return the line of the script that the error came from, or None."""
    line = None
    while trace:
        if trace.tb_frame.f_code.co_filename == str(script):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
