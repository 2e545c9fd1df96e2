"""Where sound goes: the input of a program, a file that a program plays, or a sound device."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from tunesmith.audio.encoded_stream import WAV_HEADER_BYTES
from tunesmith.errors import PlaybackError

STOP_SECONDS = 2.0
"""How long a stopped program may take to end before it is killed."""


class SoundOutput(Protocol):
    """A place for the bytes of a 16-bit WAV file, in order. Use it from one thread; any may call ``stop``."""

    def write(self, content: bytes) -> None:
        """Give the next bytes; may block while the output has enough to play."""
        ...

    def finish(self) -> None:
        """Return once everything is played. Raises PlaybackError."""
        ...

    def stop(self) -> None:
        """End the playing at once; stopping twice is harmless."""
        ...


class PipedProgram:
    """A program that plays its standard input; ``raw`` ones get the samples without a header."""

    def __init__(self, command: Sequence[str], *, raw: bool = False) -> None:
        self._name = Path(command[0]).stem
        # How much of the header is still to be dropped.
        self._left = WAV_HEADER_BYTES if raw else 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = _started(command, subprocess.PIPE, self._errors)

    def write(self, content: bytes) -> None:
        """Give the next bytes. Raises BrokenPipeError once the program has ended."""
        assert self._process.stdin
        content, self._left = content[self._left :], max(0, self._left - len(content))
        self._process.stdin.write(content)

    def finish(self) -> None:
        """Return once the program has played everything. Raises PlaybackError if it fails."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        _check(self._name, self._process.wait(), self._errors)

    def stop(self) -> None:
        """End the program."""
        _stop(self._process)
        self._errors.close()


class FileProgram:
    """A program that plays only files: it starts once the sound is complete; ``{}`` in its command is the path."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command, self._name = command, Path(command[0]).stem
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._folder = tempfile.TemporaryDirectory(prefix="tunesmith-")
        self._path = Path(self._folder.name) / "sound.wav"
        self._file = self._path.open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, content: bytes) -> None:
        """Keep the next bytes."""
        self._file.write(content)

    def finish(self) -> None:
        """Play the file. Raises PlaybackError if the program fails."""
        self._file.close()
        command = [part.replace("{}", str(self._path)) for part in self._command]
        self._process = _started(command, subprocess.DEVNULL, self._errors)
        _check(self._name, self._process.wait(), self._errors)

    def stop(self) -> None:
        """End the program and remove the file."""
        self._file.close()
        if self._process is not None:
            _stop(self._process)
        self._errors.close()
        self._folder.cleanup()


class SoundDevice:
    """The default device, through the package sounddevice."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        import sounddevice

        self._left = WAV_HEADER_BYTES
        with _device_errors():
            self._stream: Any = sounddevice.RawOutputStream(sample_rate, channels=channels, dtype="int16")
            self._stream.start()

    def write(self, content: bytes) -> None:
        """Give the next bytes; blocks until the device takes them. Raises PlaybackError if it fails or is stopped."""
        content, self._left = content[self._left :], max(0, self._left - len(content))
        with _device_errors():
            self._stream.write(content)

    def finish(self) -> None:
        """Return once the device has played everything. Raises PlaybackError."""
        with _device_errors():
            self._stream.stop()

    def stop(self) -> None:
        """Close the device."""
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)


@contextlib.contextmanager
def _device_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # The package raises errors of its own, which only it can import.
        raise PlaybackError(f"sounddevice: {error}") from None


def _started(command: Sequence[str], given: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        # The name was found on PATH, so no shell looks it up again.
        return subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=errors)  # noqa: S603
    except OSError as error:
        raise PlaybackError(f"{command[0]} cannot be started: {error.strerror}") from None


def _check(name: str, code: int, errors: IO[bytes]) -> None:
    if code:
        errors.seek(0)
        lines = errors.read(4096).decode("utf-8", "replace").split("\n")
        said = next((line.strip() for line in lines if line.strip()), "")
        raise PlaybackError(f"{name} ended with exit code {code}{said and ': '}{said[:200]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
