"""Read the input sound files of a command, and check that its output does not overwrite them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.audio import Audio
from tunesmith.errors import AudioFileError, InvalidRequest


def read_sound(path: Path) -> Audio:
    """Read a sound file and warn if it is truncated; raises AudioFileError if it is unreadable or empty."""
    from tunesmith.audio.reader import read_audio
    from tunesmith.audio.truncation import is_truncated
    from tunesmith.cli.console import print_warning

    with _silence_decoder_stderr():
        audio = read_audio(path)
    if not audio.num_samples:
        raise AudioFileError(f"cannot read {path}: it contains no audio")
    if is_truncated(path, audio.num_samples):
        print_warning(f"{path} is cut off: only the {audio.duration:.2f} s that it contains are used")
    return audio


def check_output(output: Path, *inputs: Path) -> None:
    """Raise early the errors that writing would raise, and InvalidRequest if it would overwrite an input."""
    from tunesmith.audio.writer import check_writable

    check_writable(output)
    for path in inputs:
        # samefile also recognizes the input behind a link or another spelling of its path.
        if output.exists() and path.exists() and output.samefile(path):
            raise InvalidRequest("output", f"must not be the input file, got {output}")


@contextmanager
def _silence_decoder_stderr() -> Iterator[None]:
    """Silence the MP3 decoder, which prints its own remarks on standard error.

    The descriptor belongs to the whole process: only for a program with one thread, such as a command.
    """
    # What Python has buffered must come out before the redirection.
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        # There is no standard error to keep clean.
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
