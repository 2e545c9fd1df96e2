"""Python programs forked from a process that has loaded Tunesmith already: a Python each takes a second of work.

``ForkedPopen`` is ``subprocess.Popen`` in all else: a fork is a child of ours, with its own folder, environment, limits
and streams. Other programs, and all programs on other systems than Linux, are started as ever.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import inspect
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import fork_server

SECONDS = 120.0
FreshPopen: type[subprocess.Popen[Any]] = subprocess.Popen
"""Starts every program as ever, for tests that need a Python of their own."""

PYTHON = sys.executable
IS_POSSIBLE = sys.platform == "linux"
UNSUPPORTED = ("preexec_fn", "pass_fds", "shell", "executable")
_SIGNATURE = inspect.signature(subprocess.Popen._execute_child)  # type: ignore[attr-defined]
_asking = threading.Lock()


class ForkedPopen(subprocess.Popen[Any]):
    """A program that is forked if it is a Python one, and started as ever if not."""

    def is_forked(self, arguments: Sequence[str]) -> bool:
        """Return whether Python with these arguments is forked: a module, code or a file, but nothing read."""
        return bool(arguments) and (arguments[0] in ("-m", "-c") or not arguments[0].startswith("-"))

    def _execute_child(self, *given: Any, **named: Any) -> None:
        about = _SIGNATURE.bind(self, *given, **named).arguments
        arguments = _python_arguments(about["args"])
        if arguments is None or not self.is_forked(arguments) or any(about[name] for name in UNSUPPORTED):
            super()._execute_child(*given, **named)  # type: ignore[misc]
            return
        streams = [about[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        try:
            inherited = [number if stream == -1 else stream for number, stream in enumerate(streams)]
            self.pid = _fork(_told(arguments, about), inherited)
        finally:
            ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
            self._close_pipe_fds(*(about[name] for name in ends))  # type: ignore[attr-defined]
        self._child_created = True


class ForkedTunesmith(ForkedPopen):
    """A program that is forked if it is a module of Tunesmith: the command, a runner, the pull of a model.

    Nobody waits for the fork server to load, because an event loop may be waiting: until then all are started as ever.
    """

    def is_forked(self, arguments: Sequence[str]) -> bool:
        """Return whether these arguments name a module of Tunesmith that can be forked at once."""
        is_ours = arguments[:1] == ["-m"] and arguments[1].partition(".")[0] == "tunesmith"
        return is_ours and (bool(_above) or _started_fork_server().has_loaded())


def fork_tunesmith(control: socket.socket | None = None) -> None:
    """Have what this process starts of Tunesmith forked from now on, by the fork server at ``control`` or its own."""
    if control is not None:
        _above.append(control)
    elif IS_POSSIBLE:
        _started_fork_server()
    subprocess.Popen = ForkedTunesmith  # type: ignore[misc]


def run_python(
    arguments: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Run Python with these arguments in a folder; see run_program."""
    return run_program([sys.executable, *arguments], folder, environment, **options)


def run_program(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Run a program in a folder and return what it printed; a Python one is forked.

    ``environment`` is added to ours, ``options`` are those of Popen.
    """
    command = list(map(str, words))
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    variables = {**os.environ, **(environment or {})}
    with ForkedPopen(command, cwd=folder, env=variables, **{**streams, **options}) as process:
        try:
            out, problems = process.communicate(timeout=SECONDS)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, problems)


def run_command(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run ``tunesmith`` with these arguments in a folder; ``environment`` is added to ours."""
    return run_python(["-m", "tunesmith", *arguments], folder, environment)


def _python_arguments(command: Any) -> list[str] | None:
    """Return the arguments of a command that is this Python; None for any other."""
    if not IS_POSSIBLE or isinstance(command, str | bytes | os.PathLike):
        return None
    program, *arguments = [os.fsdecode(word) for word in command]
    return arguments if program == PYTHON else None


def _told(arguments: list[str], about: Mapping[str, Any]) -> bytes:
    given = os.environ if about["env"] is None else about["env"]
    told = {
        "arguments": arguments,
        "folder": str(Path(os.fsdecode(about["cwd"] or ".")).absolute()),
        "environment": {os.fsdecode(name): os.fsdecode(value) for name, value in given.items()},
        "limits": fork_server.limits(),
        "new_session": bool(about["start_new_session"]),
        "ignores_interrupt": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    }
    return json.dumps(told).encode()


def _fork(told: bytes, streams: list[int]) -> int:
    """Have a program forked and return its process id."""
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)
    with ours, ours.makefile("rb") as said:
        with theirs, _asking, _reaper():
            socket.send_fds(_control(), [b"."], [*streams, theirs.fileno()])
            theirs.close()
            process = int(said.readline())
            assert said.readline() == fork_server.READY
        ours.sendall(told)
    return process


@contextlib.contextmanager
def _reaper() -> Iterator[None]:
    """Be the parent of every orphan below this process for as long as the block lasts."""
    fork_server.set_reaper(True)
    try:
        yield
    finally:
        fork_server.set_reaper(False)


class _ForkServer:
    """The fork server of this process, which ends with it."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        command = [sys.executable, fork_server.__file__, str(theirs.fileno())]
        self._process = FreshPopen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._has_loaded = False
        atexit.register(self._close)

    def has_loaded(self, seconds: float = 0.0) -> bool:
        """Return whether it forks at once, after so many seconds at most."""
        if not self._has_loaded and select.select([self.control], [], [], seconds)[0]:
            assert self.control.recv(len(fork_server.READY)) == fork_server.READY, "the fork server did not load"
            self._has_loaded = True
        return self._has_loaded

    def _close(self) -> None:
        self.control.close()
        self._process.kill()
        self._process.wait(SECONDS)


@functools.cache
def _started_fork_server() -> _ForkServer:
    return _ForkServer()


_above: list[socket.socket] = []
"""The fork server that a forked server was given."""


def _control() -> socket.socket:
    if _above:
        return _above[0]
    assert _started_fork_server().has_loaded(SECONDS)
    return _started_fork_server().control
