"""Reading the sound files that a command works on, and checking that its result will not be written over them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.audio import Audio
from tunesmith.errors import AudioFileError, InvalidRequest


def read_sound(path: Path) -> Audio:
    """Read a sound file; warns where it is cut off. Raises AudioFileError when it cannot be read."""
    from tunesmith.audio.reader import read_audio
    from tunesmith.audio.truncation import is_truncated
    from tunesmith.cli.console import print_warning

    with _silence_decoder_stderr():
        audio = read_audio(path)
    if not audio.num_samples:
        raise AudioFileError(f"cannot read {path}: there is no sound in it")
    if is_truncated(path, audio.num_samples):
        print_warning(f"{path} is cut off: it goes on with the {audio.duration:.2f} s that are there")
    return audio


def check_output(output: Path, *inputs: Path) -> None:
    """Raise now what writing would raise later, and InvalidRequest where the result would replace its source."""
    from tunesmith.audio.writer import check_writable

    check_writable(output)
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise InvalidRequest("output", f"must not be the file it is made from, got {output}")


@contextmanager
def _silence_decoder_stderr() -> Iterator[None]:
    """Keep the MP3 decoder's own remarks off standard error; only for a program with one thread, such as a command."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error to keep clean
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
