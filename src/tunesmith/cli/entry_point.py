"""The ``tunesmith`` command: parse the arguments, run the command, turn errors into one line and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from tunesmith.cli.interrupts import handle_interrupts

COMMANDS = (
    "generate",
    "again",
    "vary",
    "play",
    "batch",
    "log",
    "info",
    "stitch",
    "loop",
    "fit",
    "trim",
    "fade",
    "convert",
    "normalize",
    "render",
    "score",
    "explain",
    "genres",
    "instruments",
    "pull",
    "list",
    "show",
    "check",
    "rm",
    "token",
    "mcp",
    "serve",
    "live",
    "studio",
    "ps",
    "backup",
    "restore",
    "run-audiocraft",
)
TOP_OPTIONS = ("--help", "-h", "--version")
LONGEST_SHOWN = 300
"""The longest path that an error shows in full, in characters."""

STOPPED = 130
"""The exit code that shells report for SIGINT."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its exit code, or with 143 on SIGTERM."""
    handle_interrupts()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    # Ctrl-C may come while the modules of the command line load, outside the handlers of run.
    except KeyboardInterrupt:
        code = STOPPED
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code: 0 done, 1 failed, 2 bad input, 130 stopped by Ctrl-C."""
    import typer

    from tunesmith.cli.app import root_command
    from tunesmith.cli.arguments import command_mistake, with_aliases
    from tunesmith.cli.console import prepare_streams, print_error, shown_warnings
    from tunesmith.errors import GenerationCancelled, TunesmithError

    prepare_streams()
    if mistake := command_mistake(arguments, COMMANDS):
        return print_error(mistake, 2)
    try:
        command = root_command()
        given = with_aliases(insert_default_command(arguments), command)
        with shown_warnings():
            result = command.main(args=given, prog_name="tunesmith", standalone_mode=False)
        # Some versions of Typer return this where others raise Abort.
        if result == STOPPED:
            return print_error("stopped", STOPPED)
        # A full disk or a closed pipe must fail here, where it is handled, and not at exit.
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (typer.Abort, KeyboardInterrupt, GenerationCancelled):
        return print_error("stopped", STOPPED)
    except TunesmithError as error:
        return print_error(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader has all it wants, as in: tunesmith genres | head -1
        _ignore_broken_pipe()
        return 1
    except OSError as error:
        _ignore_broken_pipe()
        return print_error(f"{_shortened(error.filename or 'output')}: {error.strerror or error}", 2)
    except Exception as error:
        return _usage_error(error, arguments)


def _shortened(path: object) -> str:
    """Return a path, shortened to its beginning and its end if it is too long to be one."""
    text = str(path)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:60]}…{text[-20:]}"


def _ignore_broken_pipe() -> None:
    """Redirect standard output to the null device, so that Python's flush at exit does not fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage_error(error: Exception, arguments: Sequence[str]) -> int:
    """Print a usage error as one line and return 2; any other error is a bug and keeps its traceback."""
    from tunesmith.cli.arguments import usage_message
    from tunesmith.cli.console import print_error
    from tunesmith.plain_text import is_text

    wrong = next((text for text in arguments if not is_text(text)), None)
    if isinstance(error, UnicodeEncodeError) and wrong is not None:
        return print_error(f"argument: must be text in UTF-8, got {wrong[:40]!a}", 2)
    message = usage_message(error, arguments)
    if message is None:
        raise error
    return print_error(message, 2)


def insert_default_command(arguments: Sequence[str]) -> list[str]:
    """Insert ``generate`` before arguments that start with a prompt or one of its options."""
    given = list(arguments)
    if not given or given[0] in (*COMMANDS, *TOP_OPTIONS):
        return given or ["--help"]
    return ["generate", *given]
