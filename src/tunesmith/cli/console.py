"""Console output: reports on standard output; errors, warnings and a progress bar on standard error."""

from __future__ import annotations

import codecs
import json
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tunesmith.plain_text import is_text

CONSOLE_ERRORS = "tunesmith-console"
"""The name of the codec error handler of the standard streams."""

# In characters. A longer message quotes input at a length that nobody reads.
LONGEST_LINE = 1_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

if TYPE_CHECKING:
    from tunesmith.generator import Progress, ProgressCallback
    from tunesmith.pipeline import GeneratedFile


def prepare_streams() -> None:
    """Let standard output and error print any text: raw bytes of file names unchanged, other characters as ``?``."""
    codecs.register_error(CONSOLE_ERRORS, _as_it_was)
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character must not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=CONSOLE_ERRORS)


def _as_it_was(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    # A surrogate escape (PEP 383) stands for an undecodable byte of a file name.
    return b"".join(bytes([ord(one) - 0xDC00]) if "\udc80" <= one <= "\udcff" else b"?" for one in wrong), error.end


def print_error(message: str, exit_code: int) -> int:
    """Print a message as one line on standard error and return the exit code."""
    print(f"tunesmith: error: {_one_line(message)}", file=sys.stderr)  # noqa: T201
    return exit_code


def print_warning(message: str) -> None:
    """Print a warning as one line on standard error."""
    print(f"warning: {_one_line(message)}", file=sys.stderr)  # noqa: T201


def _one_line(message: str) -> str:
    """Return a message as one line of limited length, without control characters."""
    # A file name with escape sequences could otherwise control the terminal.
    line = _CONTROL.sub("?", " ".join(message.split()))
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 200]} … {line[-195:]}"


@contextmanager
def shown_warnings() -> Iterator[None]:
    """Print every AudioFileWarning as a warning of the command: one line, without a location in the code."""
    from tunesmith.errors import AudioFileWarning

    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, AudioFileWarning):
                print_warning(str(message))
            else:
                usual(message, category, *where, **more)

        # Python shows a warning once per location by default, but each file needs its own.
        warnings.simplefilter("always", AudioFileWarning)
        warnings.showwarning = show
        yield


@contextmanager
def progress_bar(quiet: bool) -> Iterator[ProgressCallback]:
    """Yield a callback that draws a progress bar with stage and time left; draw nothing if quiet or off a terminal."""
    from tunesmith.generator import no_progress

    if quiet or not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(progress: Progress) -> None:
            bar.update(task, description=progress.stage, completed=progress.fraction)

        yield show


def as_json_text(value: Any) -> str:
    """Return a value as one line of JSON, in ASCII if standard output or UTF-8 cannot encode all of it."""
    shows_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, ensure_ascii=not shows_all, default=str)
    # Surrogates from file names have no UTF-8; JSON escapes them in ASCII.
    return text if is_text(text) else json.dumps(value, default=str)


def report(generated: Sequence[GeneratedFile], as_json: bool, quiet: bool, to_stderr: bool) -> None:
    """Print duration, seed and files of each result, or one JSON object (a list for several)."""
    from tunesmith.performed.recall_text import recall_in_words

    out = sys.stderr if to_stderr else sys.stdout
    if as_json:
        rows = [one.as_json() for one in generated]
        print(as_json_text(rows if len(rows) > 1 else rows[0]), file=out)
    elif not quiet:
        for one in generated:
            what = f"{one.duration:.1f} s of music in {one.took:.1f} s, seed {one.request.seed}"
            if recall := recall_in_words(one.metadata):
                what = f"{what}\n  performed: {recall}"
            print("\n".join([what, *(f"  {file}" for file in one.files)]), file=out)
