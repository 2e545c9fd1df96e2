"""A runner from inside: loads one model, makes what its parent sends, and ends when its parent does.

python -m tunesmith.jobs.runners.child MODEL
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from tunesmith.audio.writer import write_audio
from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.generator import Generator, Progress, Registry
from tunesmith.jobs.runners.messages import ALIVE_SECONDS, decode, encode
from tunesmith.request import GenerationRequest

PROGRESS_SECONDS = 0.1
INTERNAL_ERROR = "InternalError"


class Child:
    """The tasks of one model, each in a thread of its own: a model that batches makes them together."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._writing = threading.Lock()
        self._cancelled: dict[str, threading.Event] = {}

    def serve(self, model: str, lines: BinaryIO) -> None:
        """Load the model, then take messages until there are no more."""
        threading.Thread(target=self._show_life, daemon=True).start()
        began = time.monotonic()
        try:
            generator = Registry.discover().create(model)
            load = getattr(generator, "load", None)
            if load:
                load()
        except Exception as error:  # the border of the job runner
            self._send({"unloadable": True, **_described(error)})
            return
        self._send({"ready": time.monotonic() - began})
        for line in lines:
            self._take(decode(line), generator)

    def _take(self, message: dict[str, Any], generator: Generator) -> None:
        if "cancel" in message:
            event = self._cancelled.get(message["cancel"])
            if event:
                event.set()
            return
        task = message["task"]
        self._cancelled[task] = threading.Event()
        threading.Thread(target=self._make, args=(message, generator), name=task, daemon=True).start()

    def _make(self, message: dict[str, Any], generator: Generator) -> None:
        task = message["task"]
        try:
            request = GenerationRequest.checked(**message["request"])
            audio = generator.generate(request, _Progress(self, task), self._cancelled[task].is_set)
            write_audio(audio, Path(message["path"]))
        except Exception as error:  # the border of the job runner
            self._send({"failed": task, **_described(error)})
        else:
            about = {"duration": audio.duration, "sample_rate": audio.sample_rate, "channels": audio.channels}
            self._send({"made": task, **about, "metadata": dict(audio.metadata)})
        finally:
            del self._cancelled[task]

    def _send(self, message: dict[str, Any]) -> None:
        with self._writing:
            self._output.write(encode(message))
            self._output.flush()

    def _show_life(self) -> None:
        while True:
            self._send({"alive": True})
            time.sleep(ALIVE_SECONDS)

    def tell(self, task: str, progress: Progress) -> None:
        """Tell how far a task is."""
        self._send({"progress": task, "fraction": progress.fraction, "stage": progress.stage})


class _Progress:
    """Passes progress on, but not more often than anyone could look."""

    def __init__(self, child: Child, task: str) -> None:
        self._child = child
        self._task = task
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now >= self._next or progress.fraction >= 1:
            self._next = now + PROGRESS_SECONDS
            self._child.tell(self._task, progress)


def _described(error: Exception) -> dict[str, Any]:
    """Describe an error for the parent; what is not one of ours is a bug, whose trace goes to the log."""
    if isinstance(error, TunesmithError):
        return {"kind": type(error).__name__, "message": str(error), "mistake": isinstance(error, InvalidRequest)}
    traceback.print_exception(error)
    return {"kind": INTERNAL_ERROR, "message": "internal error; the server's log says more", "mistake": False}


def main(model: str) -> None:
    """Serve until the parent closes our input, or is gone."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between the messages
    try:
        Child(output).serve(model, sys.stdin.buffer)
    except BrokenPipeError:  # the parent is gone
        pass
    finally:
        sys.stderr.flush()
        os._exit(0)  # without waiting for threads: nobody is left to take what they make


if __name__ == "__main__":
    main(sys.argv[1])
