"""Media: audio in files that libsndfile does not read (M4A, WebM, 3GP, AMR, WMA …), decoded by the FFmpeg program.

FFmpeg runs as a subprocess, not as a library: a hostile file cannot harm this process, and FFmpeg's licence (LGPL or
GPL, by its build) stays separate. FFmpeg reads one local file, with the one demuxer that fits the file's first bytes.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import MappingProxyType, TracebackType
from typing import IO, BinaryIO, Self

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]  # (samples, channels)

STALLED_SECONDS = 30.0
LARGEST_ALLOCATION = 1 << 28
KEPT_MESSAGES = 1 << 14
# Six words of 32 bits; encoding 6 is 32-bit float.
AU_HEADER, AU_FLOAT = 24, 6
LOSSLESS = re.compile(
    r"Audio: (?:alac|flac|pcm_\w+|wmalossless|wavpack|tta)\b[^\n]*?, s(16|24|32)p?(?: \((\d+) bit\))?"
)
NO_SOUND = ("matches no streams", "does not contain any stream", "for option 'map'")
TAGS = {"title": "title", "artist": "artist", "album": "album", "comment": "comment", "copyright": "copyright",
        "date": "date", "genre": "genre", "track": "tracknumber", "encoder": "software"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MediaKind:
    """A kind of file: its name for people, and FFmpeg's demuxer."""

    name: str
    demuxer: str


MOV = MediaKind("M4A, MP4, MOV or 3GP", "mov")
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
STARTS: Mapping[bytes, MediaKind] = MappingProxyType({
    b"\x1a\x45\xdf\xa3": MediaKind("WebM or Matroska", "matroska"),
    b"#!AMR": MediaKind("AMR", "amr"),
    # The first half of the GUID of ASF's header object.
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": MediaKind("WMA", "asf"),
    b"wvpk": MediaKind("WavPack", "wv"),
    b"MAC ": MediaKind("Monkey's Audio", "ape"),
})  # fmt: skip
ADTS = MediaKind("AAC", "aac")


class MediaError(Exception):
    """FFmpeg cannot decode the file; the message is FFmpeg's own."""


class NoProgram(MediaError):
    """FFmpeg is not installed; the message says what to install."""


class NoSound(MediaError):
    """The file has no audio stream."""


def media_kind(start: bytes) -> MediaKind | None:
    """Return the kind of file by its first 16 bytes; None for files that FFmpeg does not read here."""
    if start[4:8] in BOXES:
        return MOV
    # An ADTS sync word with layer 0: any other layer is MPEG audio, such as MP3.
    if start[:1] == b"\xff" and len(start) > 1 and start[1] & 0xF6 == 0xF0:
        return ADTS
    return next((kind for beginning, kind in STARTS.items() if start.startswith(beginning)), None)


def find_program() -> str | None:
    """Return the path of the FFmpeg program; None if it is not installed."""
    return shutil.which("ffmpeg")


class MediaSound:
    """An open file with the interface of soundfile.SoundFile; decodes at most ``seconds``."""

    format = "FFMPEG"
    frames = 0

    def __init__(self, file: BinaryIO, kind: MediaKind, seconds: float) -> None:
        self._kind = kind
        self._seconds = seconds
        self._spare = _spare_copy(file)
        self._path = str(self._spare.name if self._spare else file.name)
        self._process: subprocess.Popen[bytes] | None = None
        self.samplerate = self.channels = 0

    def __enter__(self) -> Self:
        """Start decoding; raise MediaError if FFmpeg fails."""
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    @property
    def subtype(self) -> str:
        """libsndfile's subtype of a lossless stream, once read to its end; empty for others."""
        found = LOSSLESS.search(self._messages.text())
        return f"PCM_{found[2] or found[1]}" if found else ""

    def read(self, count: int, dtype: str = "float32", always_2d: bool = True) -> Frames:
        """Return the next samples, (at most ``count``, channels), none at the end; raise MediaError if FFmpeg fails."""
        del dtype, always_2d
        content = self._take(count * 4 * self.channels)
        whole = len(content) // (4 * self.channels)
        if not whole:
            self._check_end()
        samples = np.frombuffer(content, ">f4", whole * self.channels)
        return samples.astype(np.float32).reshape(-1, self.channels)

    def copy_metadata(self) -> dict[str, str]:
        """Return the tags of the file, by libsndfile's names."""
        done = subprocess.run(  # noqa: S603  # no shell; the one argument from outside is the path, behind "file:"
            [*self._input(), "-f", "ffmetadata", "pipe:1"], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=STALLED_SECONDS, check=False,
        )  # fmt: skip
        return {TAGS[name]: text for name, text in _pairs(done.stdout.decode(errors="replace")) if name in TAGS}

    def _input(self) -> list[str]:
        program = find_program()
        if program is None:
            problem = f"it is {self._kind.name}, which needs FFmpeg: install ffmpeg and put it on the PATH"
            raise NoProgram(problem)
        # The allocation limit guards against headers that state huge sizes.
        quiet = ["-nostdin", "-hide_banner", "-nostats", "-max_alloc", str(LARGEST_ALLOCATION)]
        # With other protocols, a hostile file could make FFmpeg open URLs.
        source = ["-protocol_whitelist", "file", "-f", self._kind.demuxer, "-i", f"file:{self._path}"]
        return [program, *quiet, *source]

    def _start(self) -> None:
        # AU needs no seek to finish its header, so it goes through a pipe.
        output = ["-map", "0:a:0", "-t", str(self._seconds), "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        self._process = subprocess.Popen(  # noqa: S603  # as above
            [*self._input(), *output], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._process.stderr
        self._messages = _Messages(self._process.stderr)
        self._watch = _Watch(self._process)
        header = self._take(AU_HEADER)
        if len(header) < AU_HEADER:
            self._check_end()
            raise NoSound("it contains no audio")
        _, start, _, coding, self.samplerate, self.channels = struct.unpack(">4s5I", header)
        assert coding == AU_FLOAT
        self._take(start - AU_HEADER)

    def _take(self, count: int) -> bytes:
        assert self._process
        assert self._process.stdout
        with self._watch.waiting():
            return self._process.stdout.read(count)

    def _check_end(self) -> None:
        """Raise MediaError unless FFmpeg succeeded."""
        assert self._process
        code = self._process.wait()
        lines = self._messages.text().strip().splitlines()
        if any(problem in line for line in lines for problem in NO_SOUND):
            raise NoSound("it contains no audio")
        if self._watch.has_stalled:
            raise MediaError("its decoder stalls")
        if code:
            # FFmpeg prefixes messages with a module and an address, which differs from run to run.
            raise MediaError(re.sub(r"\[[^\]]*\] ", "", lines[-1])[:200] if lines else f"FFmpeg ended with {code}")

    def _end(self) -> None:
        if self._process:
            with suppress(OSError):
                self._process.kill()
            self._process.wait()
            self._watch.end()
            self._messages.join()
            for stream in (self._process.stdout, self._process.stderr):
                assert stream
                stream.close()
        if self._spare:
            self._spare.close()
            Path(self._spare.name).unlink(missing_ok=True)


class _Messages:
    """The standard error of a program: keeps its beginning and its end, so that memory is bounded."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._first, self._last = b"", b""
        self._stream = stream
        # Without a reader, a full pipe of messages would block the program.
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Return the messages so far; complete once the program has ended."""
        self._thread.join(1.0)
        return (self._first + b"\n" + self._last).decode(errors="replace")

    def join(self) -> None:
        """Wait for the last messages of a program that has ended."""
        self._thread.join()

    def _collect(self) -> None:
        while chunk := self._stream.read1(1 << 12):  # type: ignore[attr-defined]
            if len(self._first) < KEPT_MESSAGES:
                self._first += chunk
            else:
                self._last = (self._last + chunk)[-KEPT_MESSAGES:]


class _Watch:
    """A watchdog that kills a program which makes a read wait too long."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.has_stalled = False
        self._process = process
        self._since: float | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark the time during which a read waits for the program."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def end(self) -> None:
        """Stop the watchdog."""
        self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(min(1.0, STALLED_SECONDS)):
            since = self._since
            if since is not None and time.monotonic() - since > STALLED_SECONDS:
                self.has_stalled = True
                self._process.kill()
                return


def _spare_copy(file: BinaryIO) -> IO[bytes] | None:
    """Copy a stream that is no file on disk to a temporary file, in which FFmpeg can seek; None for a file on disk."""
    name = getattr(file, "name", None)
    if isinstance(name, str) and Path(name).is_file():
        return None
    # FFmpeg opens it by name, so it outlives this function; _end() deletes it.
    spare = NamedTemporaryFile(prefix="tunesmith-", delete=False)  # noqa: SIM115
    file.seek(0)
    shutil.copyfileobj(file, spare)
    spare.flush()
    return spare


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tags in FFmpeg's metadata format, where a backslash escapes =, ;, #, \\ and newlines."""
    for line in re.split(r"(?<!\\)\n", text)[1:]:
        name, equals, value = line.partition("=")
        if equals:
            yield name.lower(), re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
