"""The command line in a process of its own, forked from one that has loaded it already: a Python each takes a second.

A fork has its own folder, environment, streams and exit, as a command that a user starts. Where there is no fork, on
Windows, every command is a Python of its own.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

SECONDS = 120.0

PARENT = """
import array, atexit, io, json, os, signal, socket, sys, threading, traceback
import tunesmith.audio.reader, tunesmith.audio.writer, tunesmith.cli.app, tunesmith.composer.generator
from tunesmith.cli import main

def command(given):
    os.chdir(given["folder"])
    os.environ.clear()
    os.environ.update(given["environment"])
    encoding = given["environment"].get("PYTHONIOENCODING", "utf-8")
    sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), encoding, write_through=False)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), encoding, "backslashreplace", line_buffering=True)
    code = 1
    try:
        main(given["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120
    os._exit(code)

calls = socket.socket(fileno=int(sys.argv[1]))
while True:
    message, streams, _, _ = socket.recv_fds(calls, 1 << 22, 3)
    if not message:
        break
    process = os.fork()
    if process == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        calls.close()
        command(json.loads(message))
    for stream in streams:
        os.close(stream)
    calls.sendall(b"%d\\n" % process)
    _, status = os.waitpid(process, 0)
    calls.sendall(b"%d\\n" % os.waitstatus_to_exitcode(status))
"""


def run_command(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run ``tunesmith`` with these arguments and what it prints, in a folder; ``environment`` is added to ours."""
    variables = {**os.environ, **(environment or {})}
    if not hasattr(os, "fork"):
        return subprocess.run(
            [sys.executable, "-m", "tunesmith", *arguments], cwd=folder, env=variables, capture_output=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    given = {"folder": str(folder), "arguments": arguments, "environment": variables}
    with Path(os.devnull).open("rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as problems:
        code = _parent().run(json.dumps(given).encode(), [nothing.fileno(), out.fileno(), problems.fileno()])
        out.seek(0)
        problems.seek(0)
        return subprocess.CompletedProcess(["tunesmith", *arguments], code, out.read(), problems.read())


class _Parent:
    """The process that commands are forked from, one for each process of the tests."""

    def __init__(self) -> None:
        self._calls, theirs = socket.socketpair()
        self._calls.settimeout(SECONDS)
        self._process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()
        self._lines = self._calls.makefile("rb")
        atexit.register(self.close)

    def run(self, message: bytes, streams: list[int]) -> int:
        """Have a command forked and return its exit code; it is killed when it takes too long."""
        socket.send_fds(self._calls, [message], streams)
        process = int(self._lines.readline())
        try:
            return int(self._lines.readline())
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise

    def close(self) -> None:
        """End the process."""
        self._calls.close()
        self._lines.close()
        self._process.wait(SECONDS)


@functools.cache
def _parent() -> _Parent:
    return _Parent()
