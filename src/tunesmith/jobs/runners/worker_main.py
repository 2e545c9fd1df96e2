"""The process of a runner: loads one model, runs the tasks that its parent sends, and ends with its parent.

python -m tunesmith.jobs.runners.worker_main MODEL ROWS
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from tunesmith.audio import Audio
from tunesmith.audio.encoded_stream import encoded_bytes, encoded_stream
from tunesmith.audio.sample_format import DEFAULT_BITS
from tunesmith.audio.writer import write_with_notices
from tunesmith.errors import (
    BUG_MESSAGE,
    INTERNAL_ERROR,
    AudioFileError,
    DiskFull,
    GenerationCancelled,
    InvalidRequest,
    OutOfResources,
    TunesmithError,
)
from tunesmith.files import disk_full_as_error, is_full
from tunesmith.generator import (
    EXPORTS,
    BatchingGenerator,
    Exported,
    ExportingGenerator,
    FigureGenerator,
    Generator,
    MusicStream,
    Progress,
    StreamingGenerator,
)
from tunesmith.jobs.runners.live_task import LiveTask
from tunesmith.jobs.runners.protocol import (
    ALIVE_SECONDS,
    MAX_KIND,
    MAX_MESSAGE,
    MAX_STAGE,
    MAX_TRACE,
    decode,
    encode,
    shortened,
)
from tunesmith.jobs.runners.tasks import stream_path
from tunesmith.models.registry import Registry
from tunesmith.neural.malloc_trim import trim_function
from tunesmith.plain_text import path_of
from tunesmith.request import UPLOADED, GenerationRequest
from tunesmith.run_generator import run_generator

STATUS = Path("/proc/self/statm")
GROWTH_BYTES = 50_000_000
"""The growth of resident memory in bytes that triggers a trim, because one takes some 50 ms."""


def resident_bytes() -> int:
    """Return the resident memory of this process in bytes; Linux only."""
    pages = int(STATUS.read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class MemoryTrim:
    """Trims after tasks, once memory has grown by ``GROWTH_BYTES`` since the last trim."""

    def __init__(self, trim: Callable[[], object] | None, resident: Callable[[], int] = resident_bytes) -> None:
        self._trim = trim
        self._resident = resident
        self._least = 0 if trim is None else resident()

    def after_task(self) -> None:
        """Trim if memory has grown enough; call it when no task runs."""
        if self._trim is None:
            return
        now = self._resident()
        if now > self._least + GROWTH_BYTES:
            self._trim()
            self._least = self._resident()
        else:
            self._least = min(now, self._least)


# The shortest time between two reports of a task's progress.
PROGRESS_SECONDS = 0.1
TORCH_S_MEMORY_ERROR = "OutOfMemoryError"
NO_MEMORY = "not enough memory to generate this"
NO_ROOM = "the disk is full: the audio could not be stored"
NICENESS = 5
"""The niceness of a runner: the server that answers for it goes first if both want the same cores."""


class Worker:
    """The tasks of one model, each in a thread of its own; a model that batches generates them together."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._writing = threading.Lock()
        self._generator: Generator | None = None
        self._work: dict[str, _TaskRun | LiveTask] = {}
        self._memory = MemoryTrim(trim_function() if STATUS.exists() else None)

    def serve(self, model: str, num_rows: int, lines: Iterable[bytes]) -> None:
        """Load the model and process messages until the input ends, which also ends a load in progress."""
        threading.Thread(target=self._send_heartbeat, daemon=True).start()
        threading.Thread(target=self._load, args=(model, num_rows), daemon=True).start()
        for line in lines:
            self._take(decode(line))

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the parent; exit if the parent is gone."""
        self._write(encode(message))

    def _write(self, line: bytes) -> None:
        try:
            with self._writing:
                self._output.write(line)
                self._output.flush()
        except BrokenPipeError:
            exit_now()

    def _load(self, model: str, num_rows: int) -> None:
        try:
            generator = Registry.discover().create(model)
            places = generator.load(num_rows) if isinstance(generator, BatchingGenerator) else 1
        except BaseException as error:
            # The border of the job runner; BaseException, because a library may raise SystemExit.
            self.send({"unloadable": True, **_error_message(error)})
            exit_now()
        self._generator = generator
        self.send({"ready": places})

    def _take(self, message: dict[str, Any]) -> None:
        if "cancel" in message:
            if work := self._work.get(message["cancel"]):
                work.cancel()
        elif "live" in message:
            live = LiveTask(message["live"], message, self.send)
            self._work[live.name] = live
            threading.Thread(target=self._play, args=(live,), name=live.name, daemon=True).start()
        elif "task" in message:
            self._take_task(message)
        else:
            self._steer(message)

    def _steer(self, message: dict[str, Any]) -> None:
        live = self._work.get(message.get("grant") or message.get("change", ""))
        # One that has ended by itself may still be steered.
        if isinstance(live, LiveTask):
            if "grant" in message:
                live.grant()
            else:
                live.change(message["number"], message["settings"])

    def _play(self, live: LiveTask) -> None:
        """Run a live stream to its end."""
        assert self._generator
        try:
            answer = encode(live.run(self._generator))
        except BaseException as error:
            # The border of the job runner; BaseException, because a library may raise SystemExit.
            answer = encode({"failed": live.name, **_error_message(error)})
        self._finish(live.name, answer)

    def _take_task(self, message: dict[str, Any]) -> None:
        task = message["task"]
        self._work[task] = work = _TaskRun(self, task)
        threading.Thread(target=self._make, args=(message, work), name=task, daemon=True).start()

    def _make(self, message: dict[str, Any], work: _TaskRun) -> None:
        """Run a task and send its result; every error is a result too, because the parent waits for one."""
        task = message["task"]
        try:
            request = GenerationRequest.checked(**message["request"])
            path = path_of(message["path"])
            if message.get("stream") and self._streams(request, path):
                audio: Audio | Exported = self._stream(request, path, work)
            else:
                audio = self._generate(request, path, message.get("layers", []), work)
            about = {"duration": audio.duration, "sample_rate": audio.sample_rate, "channels": audio.channels}
            metadata = {**audio.metadata, **self._figure(request, path)}
            answer = encode({"made": task, **about, "metadata": metadata})
        except BaseException as error:
            # The border of the job runner; BaseException, because a library may raise SystemExit.
            recordings = (message["request"].get(name) for name in UPLOADED)
            answer = encode({"failed": task, **_error_message(error, *filter(None, recordings))})
        self._finish(task, answer)

    def _finish(self, task: str, answer: bytes) -> None:
        del self._work[task]
        self._write(answer)
        if not self._work:
            # Trimming takes time, so only when no task runs.
            self._memory.after_task()

    def _generate(
        self, request: GenerationRequest, path: Path, layers: list[float], work: _TaskRun
    ) -> Audio | Exported:
        assert self._generator
        kind = path.suffix.removeprefix(".")
        if kind in EXPORTS:
            if not isinstance(self._generator, ExportingGenerator):
                raise InvalidRequest("format", f"only composer has {kind}, {request.model} generates audio only")
            with _translate_write_errors():
                return self._generator.export(request, path, work.tell, work.is_cancelled, layers)
        return self._write_file(run_generator(self._generator, request, work.tell, work.is_cancelled), path, work)

    def _streams(self, request: GenerationRequest, path: Path) -> bool:
        is_export = path.suffix.removeprefix(".") in EXPORTS
        return not is_export and not request.follows_composer and isinstance(self._generator, StreamingGenerator)

    def _stream(self, request: GenerationRequest, path: Path, work: _TaskRun) -> Audio:
        """Write the sound to ``stream_path`` while it is made, then the exact file."""
        assert isinstance(self._generator, StreamingGenerator)
        stream = self._generator.start_stream(request, work.tell, work.is_cancelled)
        try:
            # Otherwise the file itself comes as early.
            if stream.is_early:
                write_growing(stream, stream_path(path), work)
            return self._write_file(stream.audio(), path, work)
        finally:
            stream.close()

    def _write_file(self, audio: Audio, path: Path, work: _TaskRun) -> Audio:
        # Writing a file reports no progress, but always ends.
        work.seen_at = math.inf
        with _translate_write_errors():
            _, notices = write_with_notices(audio, path, bits=DEFAULT_BITS)
        return audio.with_metadata(warnings=[*audio.metadata.get("warnings", ()), *notices]) if notices else audio

    def _figure(self, request: GenerationRequest, path: Path) -> dict[str, Any]:
        """Return the melody of new music for lists of tracks; empty for exports, and for models without notes."""
        is_export = path.suffix.removeprefix(".") in EXPORTS
        if is_export or not isinstance(self._generator, FigureGenerator):
            return {}
        return {"figure": self._generator.figure(request)}

    def _send_heartbeat(self) -> None:
        while True:
            now = time.monotonic()
            quiet = [now - work.seen_at for work in list(self._work.values())]
            # A task that writes its file counts as minus infinity.
            self.send({"quiet": max([0.0, *quiet])})
            time.sleep(ALIVE_SECONDS)


class _TaskRun:
    """A running task: its cancellation, its last sign of life and its progress.

    Progress is throttled.
    """

    def __init__(self, child: Worker, task: str) -> None:
        self.cancelled = threading.Event()
        self.seen_at = time.monotonic()
        self._child = child
        self.task = task
        self._next = 0.0

    def cancel(self) -> None:
        self.cancelled.set()

    def is_cancelled(self) -> bool:
        self.seen_at = time.monotonic()
        return self.cancelled.is_set()

    def send(self, message: dict[str, Any]) -> None:
        self.seen_at = time.monotonic()
        self._child.send(message)

    def tell(self, progress: Progress) -> None:
        self.seen_at = now = time.monotonic()
        if now >= self._next or progress.fraction >= 1:
            self._next = now + PROGRESS_SECONDS
            stage = shortened(progress.stage, MAX_STAGE)
            self._child.send({"progress": self.task, "fraction": progress.fraction, "stage": stage})


def write_growing(stream: MusicStream, path: Path, work: _TaskRun) -> None:
    """Write the stream to a file in the format of its suffix, and report how far it has grown. Raises DiskFull."""
    shape = stream.channels, stream.num_samples
    size = encoded_bytes(path.suffix, *shape)
    work.send({"streaming": work.task, "metadata": dict(stream.metadata), "size": size})
    written = 0
    with disk_full_as_error("the audio"), path.open("wb") as file:
        for piece in encoded_stream(stream.blocks(), path.suffix, stream.sample_rate, *shape):
            if work.is_cancelled():
                raise GenerationCancelled
            file.write(piece)
            # Whoever hears of it reads it at once.
            file.flush()
            written += len(piece)
            work.send({"streamed": work.task, "bytes": written})


@contextmanager
def _translate_write_errors() -> Iterator[None]:
    """Translate AudioFileError of writing to OSError, an internal error."""
    try:
        yield
    except DiskFull:
        raise
    except AudioFileError as error:
        raise OSError(str(error)) from error


def _error_message(error: BaseException, *private: str) -> dict[str, Any]:
    """Return an error as a message; any error that is not a TunesmithError is a bug, whose trace goes to the log.

    ``private`` are paths of the server that callers must not see. Every text is shortened, because an error may quote a
    value of any length.
    """
    if isinstance(error, DiskFull) or is_full(error):
        # Its message names a path.
        return _failure(DiskFull.code, NO_ROOM)
    if isinstance(error, TunesmithError):
        message = _text(error)
        for path in private:
            message = message.replace(path, "the recording")
        return _failure(error.code, message, mistake=isinstance(error, InvalidRequest))
    if isinstance(error, MemoryError) or type(error).__name__ == TORCH_S_MEMORY_ERROR:
        return _failure(OutOfResources.code, NO_MEMORY)
    trace = "".join(traceback.format_exception(error)).strip()[-MAX_TRACE:]
    return _failure(INTERNAL_ERROR, BUG_MESSAGE, trace=trace)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # The border of the job runner: a plugin's error may fail to describe itself.
        return f"{type(error).__name__} without a message"


def _failure(kind: str, message: str, *, mistake: bool = False, trace: str = "") -> dict[str, Any]:
    return {
        "kind": shortened(kind, MAX_KIND),
        "message": shortened(message, MAX_MESSAGE),
        "mistake": mistake,
        "trace": shortened(trace, MAX_TRACE),
    }


def exit_now(code: int = 0) -> NoReturn:
    """End the process without waiting for its threads, because the parent no longer reads their results."""
    # The reader of stderr may be gone too.
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def main(model: str, num_rows: int) -> None:
    """Run until the parent closes the input or is gone."""
    output = os.fdopen(os.dup(1), "wb")
    # Output that a library prints goes to the log, not between the messages.
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        Worker(output).serve(model, num_rows, sys.stdin.buffer)
    except Exception:
        # The border of the process: its log is the only place left to report to.
        traceback.print_exc()
        exit_now(1)
    exit_now()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
