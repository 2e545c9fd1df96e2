"""A process that has loaded Tunesmith and forks on request; each fork becomes a Python program of its own.

``python tests/support/fork_server.py FD`` tells the socket FD when all is loaded, and serves it until its other end is
closed. A request is one byte with four file descriptors: the standard streams of the program, and a socket on which the
fork server tells the process id and then reads what to run. The program is an orphan at once: who asks is the reaper of
orphans at that moment, and so becomes its parent, as if it had started the program itself.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
import traceback
import types
from pathlib import Path
from typing import Any, NoReturn

if sys.platform != "win32":
    import resource

NAME = "fork-server"
"""The name of the process in the system's list."""

READY = b"ready\n"
LOADED = (
    "alembic.command",
    "httpx",
    "requests",
    "tunesmith.audio.reader",
    "tunesmith.audio.writer",
    "tunesmith.cli.app",
    "tunesmith.client.clients",
    "tunesmith.composer.generator",
    "tunesmith.jobs.runners.worker_main",
    "tunesmith.musicgen.generator",
    "tunesmith.server.app",
    "tunesmith.server.uvicorn_server",
)
WARM_PROMPTS = ("calm piano", "lofi hip hop with rain sounds, 90 bpm")
"""What the tests ask for most."""

INTERRUPTED = -int(signal.SIGINT)
"""The exit code of a program that ends by Ctrl-C, as its parent sees it."""

STARTS_RUNNERS = {"serve", "batch", "mcp"}
"""The commands that start runners."""

PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 15, 36

MADV_COLLAPSE, HUGE_PAGE_BYTES = 25, 2 << 20


def limits() -> list[list[int]]:
    """Return the limits of this process, soft and hard, in the order of their names."""
    return [list(resource.getrlimit(kind)) for kind in _kinds_of_limits()]


def set_reaper(value: bool) -> None:
    """Make this process the parent of orphans below it, or no longer."""
    _prctl(PR_SET_CHILD_SUBREAPER, int(value))


def serve(control: socket.socket) -> None:
    """Fork on request until the other end of the socket is closed."""
    _prctl(PR_SET_NAME, NAME.encode())
    while True:
        try:
            message, streams, _, _ = socket.recv_fds(control, 1, 4)
        except ConnectionResetError:
            # The other end was killed, or ended before it read an answer.
            return
        if not message:
            return
        between = os.fork()
        if between == 0:
            _fork_program(control, streams)
        os.waitpid(between, 0)
        with socket.socket(fileno=streams.pop()) as call:
            call.sendall(READY)
        for stream in streams:
            os.close(stream)


def _fork_program(control: socket.socket, streams: list[int]) -> NoReturn:
    """Fork the program, which the end of this process makes an orphan."""
    call = socket.socket(fileno=streams.pop())
    process = os.fork()
    if process != 0:
        call.sendall(b"%d\n" % process)
        os._exit(0)
    control.close()
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        for stream in streams:
            if stream > 2:
                os.close(stream)
        with call, call.makefile("rb") as reading:
            told = json.loads(reading.read())
        code = _run(told)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _run(told: dict[str, Any]) -> int:
    """Become the program; return its exit code when it has ended."""
    _prctl(PR_SET_NAME, b"python")
    if told["new_session"]:
        os.setsid()
    for kind, now, limit in zip(_kinds_of_limits(), limits(), told["limits"], strict=True):
        if now != limit:
            resource.setrlimit(kind, tuple(limit))
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    # A program looks for its own temporary folder, as its environment names it.
    tempfile.tempdir = None
    _open_streams(told["environment"].get("PYTHONIOENCODING", "utf-8"))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN if told["ignores_interrupt"] else signal.default_int_handler)
    if STARTS_RUNNERS.intersection(told["arguments"]):
        _fork_tunesmith_too()
    code = _exit_code(told["arguments"])
    # What Python does at its end, in its order.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    return code


def _open_streams(encoding: str) -> None:
    """Open the standard streams as Python does; an error handler may follow the encoding after a colon."""
    encoding, _, errors = encoding.partition(":")
    read, written, problems = (io.FileIO(number, mode, closefd=False) for number, mode in enumerate("rww"))
    sys.stdin = io.TextIOWrapper(io.BufferedReader(read), encoding, errors or None)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(written), encoding, errors or None, line_buffering=written.isatty())
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(problems), encoding, "backslashreplace", line_buffering=True)


def _exit_code(arguments: list[str]) -> int:
    try:
        _execute(arguments)
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code or 0
    except KeyboardInterrupt:
        traceback.print_exc()
        return INTERRUPTED
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _execute(arguments: list[str]) -> None:
    """Do what Python does with these arguments: ``-m MODULE``, ``-c CODE`` or a file, and what it is given."""
    sys.orig_argv = [sys.executable, *arguments]
    kind, *rest = arguments
    added = list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    sys.path[:] = [*added, *sys.path]
    importlib.invalidate_caches()
    for path in (Path(folder, "sitecustomize.py") for folder in added):
        if path.exists():
            runpy.run_path(str(path))
            break
    if kind == "-m":
        sys.argv = rest
        sys.path.insert(0, str(Path.cwd()))
        if not hasattr(sys.modules.get(rest[0]), "__path__"):
            sys.modules.pop(rest[0], None)
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path.insert(0, "")
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), vars(module))
    else:
        sys.argv = arguments
        sys.path.insert(0, str(Path(kind).absolute().parent))
        runpy.run_path(kind, run_name="__main__")


def _warm_up() -> None:
    """Fill what every program would fill for itself: the command line, the composer's tables, sampled notes."""
    from tunesmith.cli.app import root_command
    from tunesmith.composer.generator import ComposerGenerator
    from tunesmith.config import Settings
    from tunesmith.library.migrate import open_database
    from tunesmith.request import GenerationRequest

    root_command()
    with tempfile.TemporaryDirectory() as folder:
        open_database(Settings(data_dir=Path(folder))).close()
    for prompt in WARM_PROMPTS:
        request = GenerationRequest(prompt=prompt, duration=2.0, seed=1)
        ComposerGenerator().generate(request, lambda _: None, lambda: False)
    assert threading.active_count() == 1, "a fork has none of the threads of this process"


def _fork_tunesmith_too() -> None:
    """Have the runners and pulls of this program forked as well, by a fork server below it."""
    from forked_python import fork_tunesmith

    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        serve(theirs)
        os._exit(0)
    theirs.close()
    fork_tunesmith(ours)


def _use_huge_pages() -> None:
    """Move memory into huge pages where the kernel can.

    A fork copies an entry for each page: 55,000 small ones, of 200 MB, take ten milliseconds of every fork and its end.
    """
    madvise = _libc().madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        bounds, rights, _, _, inode, *name = line.split()
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            start, end = (int(bound, 16) // HUGE_PAGE_BYTES for bound in bounds.split("-"))
            for page in range(start + 1, end):
                # Refused where memory is short or the kernel is older than 6.1: the pages then stay as they are.
                madvise(page * HUGE_PAGE_BYTES, HUGE_PAGE_BYTES, MADV_COLLAPSE)


def _prctl(option: int, value: int | bytes) -> None:
    if _libc().prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _kinds_of_limits() -> list[int]:
    return [getattr(resource, name) for name in sorted(dir(resource)) if name.startswith("RLIMIT_")]


def main() -> None:
    """Load everything and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("forked_python", *LOADED):
        importlib.import_module(name)
    _warm_up()
    own = {str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    sys.path[:] = [path for path in sys.path if path not in own]
    # Objects that no fork collects stay in pages that all share.
    gc.collect()
    gc.freeze()
    _use_huge_pages()
    control = socket.socket(fileno=int(sys.argv[1]))
    control.sendall(READY)
    serve(control)


if __name__ == "__main__":
    main()
