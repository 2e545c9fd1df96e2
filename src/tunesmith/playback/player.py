"""SoundPlayer: hands sound to an output in a thread of its own, so that the work never waits for the listener."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Self

from tunesmith.audio.buffer import Samples
from tunesmith.audio.encoded_stream import encoded_stream
from tunesmith.errors import InvalidRequest, PlaybackError
from tunesmith.extras import install_command
from tunesmith.playback.outputs import FileProgram, PipedProgram, SoundDevice, SoundOutput

READ_BYTES = 16_384

PIPED: Mapping[str, tuple[str, ...]] = {
    "ffplay": ("-loglevel", "error", "-nodisp", "-autoexit", "-i", "pipe:0"),
    "mpv": ("--really-quiet", "--no-terminal", "--no-video", "-"),
    "aplay": ("-q", "-"),
    "play": ("-q", "-t", "wav", "-"),
}
"""Programs that play a WAV file from standard input, and their arguments, in the order in which they are tried."""

RAW = "paplay"
FILE_ONLY: Mapping[str, tuple[str, ...]] = {
    "afplay": ("{}",),
    "powershell": ("-NoProfile", "-Command", "(New-Object Media.SoundPlayer '{}').PlaySync()"),
}

OpenOutput = Callable[[int, int], SoundOutput]
"""Opens an output for a sample rate in Hz and a number of channels."""


def find_player(*, while_made: bool = False) -> OpenOutput:
    """Return the first way to play that this machine has. Raises InvalidRequest if it has none.

    With ``while_made``, programs that play only whole files do not count.
    """
    for name, arguments in PIPED.items():
        if path := shutil.which(name):
            return partial(_piped, (path, *arguments))
    if path := shutil.which(RAW):
        return partial(_raw, path)
    if importlib.util.find_spec("sounddevice"):
        return SoundDevice
    for name, arguments in () if while_made else FILE_ONLY.items():
        if path := shutil.which(name):
            return partial(_of_file, (path, *arguments))
    programs = ", ".join((*PIPED, RAW))
    raise InvalidRequest("play", f"nothing to play with: install one of {programs}, or: {install_command('play')}")


def _piped(command: tuple[str, ...], _: int, __: int) -> SoundOutput:
    return PipedProgram(command)


def _of_file(command: tuple[str, ...], _: int, __: int) -> SoundOutput:
    return FileProgram(command)


def _raw(path: str, sample_rate: int, channels: int) -> SoundOutput:
    shape = f"--rate={sample_rate}", f"--channels={channels}"
    return PipedProgram((path, "--raw", "--format=s16le", *shape), raw=True)


class SoundPlayer:
    """A player of one sound. What its output has no room for yet waits in a temporary file, so memory stays bounded.

    Leaving the ``with`` block stops what still plays.
    """

    def __init__(self, output: SoundOutput) -> None:
        self._output = output
        self._waiting = tempfile.TemporaryFile(prefix="tunesmith-")  # noqa: SIM115
        self._changed = threading.Condition()
        self._given = self._taken = 0
        self._is_complete = self._is_stopped = False
        self._error: PlaybackError | None = None
        self._thread = threading.Thread(target=self._play, name="player", daemon=True)
        self._thread.start()

    def write(self, content: bytes) -> None:
        """Give the next bytes of the WAV file; never waits for the listener."""
        with self._changed:
            self._waiting.seek(self._given)
            self._waiting.write(content)
            self._given += len(content)
            self._changed.notify_all()

    def finish(self) -> None:
        """Return once everything is played. Raises PlaybackError if the output fails."""
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()
        # In short waits, so that Ctrl-C arrives on Windows too.
        while self._thread.is_alive():
            self._thread.join(0.1)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Stop at once; stopping twice is harmless."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._output.stop()
        self._thread.join()
        self._waiting.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _play(self) -> None:
        try:
            while content := self._next():
                self._output.write(content)
            if not self._is_stopped:
                self._output.finish()
        except PlaybackError as error:
            self._error = error
        except (OSError, ValueError):
            # The listener has closed the player, which is no failure, or it failed, of which its exit code tells.
            self._error = self._how_it_ended()

    def _how_it_ended(self) -> PlaybackError | None:
        if self._is_stopped:
            return None
        try:
            self._output.finish()
        except PlaybackError as error:
            return error
        return None

    def _next(self) -> bytes:
        """Return the next bytes to play; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._is_complete or self._taken < self._given)
            if self._is_stopped:
                return b""
            self._waiting.seek(self._taken)
            content = self._waiting.read(min(READ_BYTES, self._given - self._taken))
            self._taken += len(content)
            return content


def play_blocks(
    player: SoundPlayer, blocks: Iterable[Samples], sample_rate: int, channels: int, num_samples: int
) -> None:
    """Give a sound to a player, as its blocks come; it may still play them when this returns."""
    for content in encoded_stream(blocks, ".wav", sample_rate, channels, num_samples):
        player.write(content)
