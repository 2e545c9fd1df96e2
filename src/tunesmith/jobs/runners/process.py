"""A runner from outside: its process, the tasks it works on, and the signs of life it gives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sys
import time
from collections.abc import Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import psutil

from tunesmith.jobs.runners.messages import LONGEST_LINE, decode, encode
from tunesmith.jobs.runners.pool import Made, Report, ReportTo, RunnerCrashed, Task, TaskFailed

CANCEL_SECONDS = 5.0
"""How long a task may take to heed that it is cancelled before its process is ended."""

LONGEST_SAID = 2_000
"""How many bytes of a line that a process prints go into one line of the log."""

_LINE_ENDS = re.compile(rb"[\r\n]+")
log = logging.getLogger("tunesmith.runner")


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a process may be ``silent``, a task of it without a sign of life (``stuck``), or ``loading``."""

    silent: float = 30.0
    stuck: float = 180.0
    loading: float = 900.0


@dataclass(slots=True)
class _Running:
    task: Task
    report: ReportTo
    done: asyncio.Future[Made]
    sent: bool = False


class RunnerProcess:
    """One process with one model, in batches of at most ``num_rows`` rows. Used from one event loop."""

    def __init__(self, model: str, num_rows: int = 2, patience: Patience = Patience()) -> None:
        self.model = model
        self.used_at = self._started_at = time.monotonic()
        self.reserved = 0  # places the pool has given away
        self.places: int | None = None  # known once it is loaded
        self.keep_alive: float | None = None
        self._num_rows = num_rows
        self._patience = patience
        self._running: dict[str, _Running] = {}
        self._ready: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._told_loading = False
        self._heard_at = time.monotonic()
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def busy(self) -> int:
        """How many tasks it works on."""
        return len(self._running)

    @property
    def process_id(self) -> int:
        """The process's id."""
        assert self._process
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether tasks may still be given to it."""
        return self._runs and not self.failed_to_load

    @property
    def failed_to_load(self) -> bool:
        """Whether it ended, or said that it cannot, before it was ready."""
        return self._ready.done() and self._ready.exception() is not None

    @property
    def _runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def loading_for(self) -> float | None:
        """How many seconds it has been loading its model; None once that is ready."""
        return None if self._ready.done() else time.monotonic() - self._started_at

    def memory_bytes(self) -> int:
        """Return its resident memory; 0 once it is gone."""
        try:
            return int(psutil.Process(self.process_id).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    async def start(self) -> None:
        """Start the process, which begins to load its model at once.

        It has a session of its own, so that Ctrl-C reaches the server alone, which may let it finish.
        """
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tunesmith.jobs.runners.child", self.model, str(self._num_rows),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE, start_new_session=True,
        )  # fmt: skip
        self._tasks = [_apart(work) for work in (self._listen(), self._pass_on_what_is_printed(), self._watch())]

    async def load(self) -> float | None:
        """Wait until the model is loaded; return what that took for the first who waits, None for the others."""
        seconds = await asyncio.shield(self._ready)
        first, self._told_loading = not self._told_loading, True
        return seconds if first else None

    async def run(self, task: Task, report: ReportTo) -> Made:
        """Make a task; see RunnerPool."""
        entry = _Running(task, report, asyncio.get_running_loop().create_future())
        self._running[task.id] = entry
        try:
            if not self._ready.done():
                report(Report(running=False, stage="loading"))
            report(Report(running=True, loaded_seconds=await self.load()))
            request = task.request.model_dump(mode="json", exclude_unset=True)
            entry.sent = True
            await self._send({"task": task.id, "request": request, "path": str(task.path)})
            return await asyncio.shield(entry.done)
        except asyncio.CancelledError:
            await self._cancel(entry)
            raise
        finally:
            entry.done.cancel()
            self._running.pop(task.id, None)
            self.used_at = time.monotonic()

    async def stop(self) -> None:
        """End the process, whatever it does."""
        self.kill()
        if self._process:
            await self._process.wait()
            await asyncio.wait(self._tasks[:2], timeout=CANCEL_SECONDS)  # hear it out, which closes its pipes
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fail_all(f"the runner of {self.model} was ended")

    def kill(self) -> None:
        """End the process without waiting for its end."""
        if self._process and self._runs:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _cancel(self, entry: _Running) -> None:
        """Ask the task to end; if it does not, end its process, unless others are using it as well."""
        if not entry.sent or entry.done.done() or not self._runs:
            return
        with contextlib.suppress(RunnerCrashed, TaskFailed, TimeoutError):
            await self._send({"cancel": entry.task.id})
            await asyncio.wait_for(asyncio.shield(entry.done), CANCEL_SECONDS)
        if not entry.done.done() and self.busy == 1:
            self.kill()

    async def _send(self, message: dict[str, Any]) -> None:
        assert self._process
        assert self._process.stdin
        try:
            self._process.stdin.write(encode(message))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise RunnerCrashed(f"the runner of {self.model} ended") from None

    async def _listen(self) -> None:
        """Pass on what the child says until it ends."""
        assert self._process
        assert self._process.stdout
        async for line in self._process.stdout:
            self._heard_at = time.monotonic()
            self._take(decode(line))
        code = await self._process.wait()
        self._fail_all(f"the runner of {self.model} ended with exit code {code}")

    async def _pass_on_what_is_printed(self) -> None:
        """Write to the log what the process, or a library in it, prints; read all the same where it is too long."""
        assert self._process
        assert self._process.stderr
        about, rest = {"model": self.model, "process_id": self.process_id}, b""
        while chunk := await self._process.stderr.read(LONGEST_SAID):
            *lines, rest = _LINE_ENDS.split(rest + chunk)
            if len(rest) >= LONGEST_SAID:
                lines, rest = [*lines, rest], b""
            for line in filter(bytes.strip, lines):
                log.warning("%s", line.decode("utf-8", "replace"), extra=about)
        if rest.strip():
            log.warning("%s", rest.decode("utf-8", "replace"), extra=about)

    async def _watch(self) -> None:
        """End the process when it has been silent, or loading, for too long."""
        while self._runs:
            await asyncio.sleep(min(self._patience.silent, self._patience.loading) / 4)
            silent = time.monotonic() - self._heard_at > self._patience.silent
            if silent or (self.loading_for or 0.0) > self._patience.loading:
                self.kill()

    def _take(self, message: dict[str, Any]) -> None:
        if "quiet" in message:
            if message["quiet"] > self._patience.stuck:
                self.kill()
        elif "ready" in message:
            self.places = message["ready"]
            self._ready.set_result(time.monotonic() - self._started_at)
        elif "unloadable" in message:
            self._ready.set_exception(_failure(message))
        elif "progress" in message and (entry := self._running.get(message["progress"])):
            entry.report(Report(running=True, fraction=message["fraction"], stage=message["stage"]))
        elif "made" in message and (entry := self._running.get(message["made"])):
            about = {name: message[name] for name in ("duration", "sample_rate", "channels", "metadata")}
            entry.done.set_result(Made(entry.task.path, **about))
        elif "failed" in message and (entry := self._running.get(message["failed"])):
            entry.done.set_exception(_failure(message))

    def _fail_all(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(RunnerCrashed(reason))
        self._ready.exception()  # read, so that a model nobody waits for is no warning
        for entry in self._running.values():
            if not entry.done.done():
                entry.done.set_exception(RunnerCrashed(reason))


def _apart(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start work that outlives the job which it was started for, and must not be taken for a part of it."""
    return asyncio.create_task(work, context=Context())


def _failure(message: dict[str, Any]) -> TaskFailed:
    return TaskFailed(message["kind"], message["message"], is_mistake=message["mistake"], trace=message["trace"])
