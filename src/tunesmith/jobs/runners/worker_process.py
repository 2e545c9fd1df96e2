"""The parent's side of a runner: its process, its tasks and its signs of life."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import psutil

from tunesmith.errors import InvalidRequest, RunnerCrashed, TaskFailed
from tunesmith.jobs.runners.live_channel import LiveChannel, LiveOpening
from tunesmith.jobs.runners.protocol import (
    MAX_LINE_BYTES,
    ChangeRefused,
    ChangeTaken,
    Finished,
    FromChild,
    InProgress,
    InvalidMessage,
    LiveBlock,
    LiveClosed,
    LiveOpened,
    LiveReport,
    Quiet,
    Ready,
    Streamed,
    Streaming,
    TaskProblem,
    Unloadable,
    encode,
    read_from_child,
)
from tunesmith.jobs.runners.reports import failure_of, report_of
from tunesmith.jobs.runners.tasks import ProgressReport, ReportCallback, Task, TaskResult
from tunesmith.plain_text import path_text

CANCEL_SECONDS = 5.0
"""The seconds that a cancelled task may take to stop before its process is killed."""

EXIT_SECONDS = 5.0
"""The seconds that a process may take to end after it closed its output, and that its end is awaited."""

WATCH_SECONDS = 1.0
"""The longest interval in seconds between two checks of a process."""

MAX_LOG_LINE = 2_000
"""The longest part of a printed line, in bytes, that becomes one line of the log."""

_CHUNK = 1 << 16
_POLL_SECONDS = 0.01
_LINE_ENDS = re.compile(rb"[\r\n]+")
log = logging.getLogger("tunesmith.runner")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds: of a ``silent`` process, of a task without progress (``stuck``), of ``loading`` a model."""

    silent: float = 30.0
    stuck: float = 180.0
    loading: float = 900.0


@dataclass(slots=True)
class _PendingTask:
    name: str
    task: Task
    report: ReportCallback
    done: asyncio.Future[TaskResult]
    sent: bool = False


class RunnerProcess:
    """One process with one model, in batches of at most ``num_rows`` rows. Used from one event loop."""

    def __init__(self, model: str, num_rows: int = 2, patience: Timeouts = Timeouts()) -> None:
        self.model = model
        self.used_at = self._started_at = time.monotonic()
        # Slots that the pool has given away.
        self.reserved = 0
        # Known once the model is loaded.
        self.places: int | None = None
        self.keep_alive: float | None = None
        self._num_rows = num_rows
        self._patience = patience
        self._running: dict[str, _PendingTask] = {}
        self._live: dict[str, LiveChannel] = {}
        self._given = 0
        # Tasks that were cancelled and have not ended in the process yet.
        self._given_up: set[str] = set()
        # Whether messages of the process are still processed.
        self._is_listening = True
        self._ready: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._reported_loading = False
        self._last_message_at = time.monotonic()
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def busy(self) -> int:
        """The number of running tasks and live streams."""
        return len(self._running) + len(self._live)

    @property
    def process_id(self) -> int:
        """The id of the process."""
        assert self._process
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process accepts tasks."""
        return self._runs and self._is_listening and not self.failed_to_load

    @property
    def failed_to_load(self) -> bool:
        """Whether the process ended, or reported an error, before the model was loaded."""
        return self._ready.done() and self._ready.exception() is not None

    @property
    def _runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def loading_for(self) -> float | None:
        """Seconds since the load began; None once the model is loaded."""
        return None if self._ready.done() else time.monotonic() - self._started_at

    @property
    def _about(self) -> dict[str, object]:
        return {"model": self.model, "process_id": self.process_id}

    def memory_bytes(self) -> int:
        """Return the resident memory in bytes; 0 once the process is gone."""
        try:
            return int(psutil.Process(self.process_id).memory_info().rss)
        except psutil.Error:
            return 0

    async def start(self) -> None:
        """Start the process, which begins to load its model at once.

        It has a session of its own: Ctrl-C must reach only the server, which may drain.
        """
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tunesmith.jobs.runners.worker_main", self.model, str(self._num_rows),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            # asyncio's reader refuses lines above 64 KiB by default.
            limit=MAX_LINE_BYTES, start_new_session=True,
        )  # fmt: skip
        self._tasks = [_spawn(work) for work in (self._listen(), self._forward_stderr(), self._watch())]

    async def load(self) -> float | None:
        """Wait until the model is loaded; return the seconds that it took to the first caller, None to others.

        Raises TaskFailed and RunnerCrashed.
        """
        seconds = await asyncio.shield(self._ready)
        first, self._reported_loading = not self._reported_loading, True
        return seconds if first else None

    async def run(self, task: Task, report: ReportCallback) -> TaskResult:
        """Run a task; see LocalPool."""
        # A task that returns after a cancellation must not get the result of its first run, so names are unique.
        self._given += 1
        entry = _PendingTask(f"{task.id} {self._given}", task, report, asyncio.get_running_loop().create_future())
        self._running[entry.name] = entry
        try:
            if not self._ready.done():
                report(ProgressReport(running=False, stage="loading"))
            report(ProgressReport(running=True, loaded_seconds=await self.load()))
            request = task.request.model_dump(mode="json", exclude_unset=True)
            await self._give(entry, {
                "task": entry.name, "request": request, "path": path_text(task.path), "stream": task.stream,
                "layers": list(task.layers),
            })  # fmt: skip
            return await asyncio.shield(entry.done)
        except asyncio.CancelledError:
            await self._cancel(entry)
            raise
        finally:
            if entry.sent and not entry.done.done():
                # Its late messages are expected, and must not count as invalid.
                self._given_up.add(entry.name)
            entry.done.cancel()
            self._running.pop(entry.name, None)
            self.used_at = time.monotonic()

    @contextlib.asynccontextmanager
    async def live(self, opening: LiveOpening) -> AsyncIterator[LiveChannel]:
        """Yield a live stream, which ends with the block. Raises TaskFailed and RunnerCrashed, also into the block."""
        self._given += 1
        channel = LiveChannel(f"live {self._given}", self._send)
        self._live[channel.name] = channel
        try:
            await self.load()
            await channel.open(opening)
            yield channel
        finally:
            try:
                await asyncio.shield(channel.close(CANCEL_SECONDS))
            finally:
                self._live.pop(channel.name)
                self.used_at = time.monotonic()
                if not channel.has_ended:
                    self._given_up.add(channel.name)
                    if not self.busy:
                        self.kill()

    async def stop(self) -> None:
        """Kill the process, wait for its end and fail its tasks."""
        self.kill()
        if self._process:
            # Read its output to the end, which closes the pipes.
            await asyncio.wait(self._tasks[:2], timeout=EXIT_SECONDS)
            await self._exit_code()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fail_all(f"the runner of {self.model} was ended")

    def kill(self) -> None:
        """Kill the process without waiting for its end."""
        if self._process and self._runs:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _cancel(self, entry: _PendingTask) -> None:
        """Cancel the task in the process; if it does not stop, kill the process unless other tasks use it."""
        if not entry.sent or entry.done.done() or not self._runs:
            return
        with contextlib.suppress(RunnerCrashed, TaskFailed, TimeoutError):
            await self._send(encode({"cancel": entry.name}))
            await asyncio.wait_for(asyncio.shield(entry.done), CANCEL_SECONDS)
        if not entry.done.done() and self.busy == 1:
            self.kill()

    async def _give(self, entry: _PendingTask, message: dict[str, Any]) -> None:
        """Send a task. Raises TaskFailed if it is too long for one message."""
        try:
            line = encode(message)
        except InvalidMessage as error:
            raise TaskFailed(InvalidRequest.code, f"request: {error}", is_mistake=True) from None
        entry.sent = True
        await self._send(line)

    async def _send(self, line: bytes) -> None:
        assert self._process
        assert self._process.stdin
        try:
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise RunnerCrashed(f"the runner of {self.model} ended") from None

    async def _listen(self) -> None:
        """Process the child's messages until its output ends; kill a child that is invalid or closes its output.

        However this ends, no task waits any longer, and the process gets no other.
        """
        assert self._process
        assert self._process.stdout
        try:
            async for line in self._process.stdout:
                self._last_message_at = time.monotonic()
                self._take(read_from_child(line))
        except ValueError as error:
            # InvalidMessage, or a line that is too long.
            self._give_up(f"sent a message that cannot be read: {error}")
        except Exception:
            # The border of the job runner.
            log.exception("a message from a runner could not be handled", extra=self._about)
            self._give_up("sent a message that could not be handled")
        self._is_listening = False
        if await self._exit_code() is None:
            self._give_up("closed its output")
        self._fail_all(f"the runner of {self.model} ended with exit code {await self._exit_code()}")
        # Unread data would keep the pipe open.
        with contextlib.suppress(TimeoutError, ValueError):
            async with asyncio.timeout(EXIT_SECONDS):
                while await self._process.stdout.read(_CHUNK):
                    pass

    def _give_up(self, problem: str) -> None:
        """Kill a process that violates the protocol, and fail its tasks."""
        self._is_listening = False
        log.error("a runner %s; it was stopped", problem, extra=self._about)
        self.kill()
        self._fail_all(f"the runner of {self.model} {problem}")

    async def _exit_code(self) -> int | None:
        """Return the exit code, None if the process still runs after a timeout.

        asyncio's own wait would also wait for every other process that has inherited the pipes.
        """
        assert self._process
        deadline = time.monotonic() + EXIT_SECONDS
        while self._process.returncode is None and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
        return self._process.returncode

    async def _forward_stderr(self) -> None:
        """Forward the process's stderr to the log; long lines are split, so that the pipe never fills up."""
        assert self._process
        assert self._process.stderr
        rest = b""
        while chunk := await self._process.stderr.read(MAX_LOG_LINE):
            *lines, rest = _LINE_ENDS.split(rest + chunk)
            if len(rest) >= MAX_LOG_LINE:
                lines, rest = [*lines, rest], b""
            for line in filter(bytes.strip, lines):
                log.warning("%s", line.decode("utf-8", "replace"), extra=self._about)
        if rest.strip():
            log.warning("%s", rest.decode("utf-8", "replace"), extra=self._about)

    async def _watch(self) -> None:
        """Kill the process when it is silent or loading for too long; fail its tasks when it has ended."""
        while self._runs:
            await asyncio.sleep(min(WATCH_SECONDS, self._patience.silent / 4, self._patience.loading / 4))
            silent = time.monotonic() - self._last_message_at > self._patience.silent
            if silent or (self.loading_for or 0.0) > self._patience.loading:
                self.kill()
        # Its last messages may still be unread.
        await asyncio.wait(self._tasks[:1], timeout=EXIT_SECONDS)
        self._fail_all(f"the runner of {self.model} ended with exit code {await self._exit_code()}")

    def _take(self, message: FromChild) -> None:
        match message:
            case Quiet():
                if message.quiet > self._patience.stuck:
                    self.kill()
            case Ready():
                self.places = message.ready
                self._ready.set_result(time.monotonic() - self._started_at)
            case Unloadable():
                self._ready.set_exception(failure_of(message))
            case LiveOpened() | LiveBlock() | ChangeTaken() | ChangeRefused() | LiveClosed():
                self._take_live(message)
            case TaskProblem() if message.task in self._live:
                self._live[message.task].end(failure_of(message))
            case _:
                self._take_of_task(message)

    def _take_live(self, message: LiveReport) -> None:
        channel = self._live.get(message.task)
        if channel:
            channel.take(message)
        elif message.task not in self._given_up:
            raise InvalidMessage(f"is about an unknown stream, got {message.task[:80]!r}")
        elif isinstance(message, LiveClosed):
            self._given_up.discard(message.task)

    def _take_of_task(self, message: InProgress | Streaming | Streamed | Finished | TaskProblem) -> None:
        entry = self._entry(message.task)
        if isinstance(message, InProgress | Streaming | Streamed):
            if entry:
                entry.report(report_of(message))
            return
        self._given_up.discard(message.task)
        if entry and isinstance(message, Finished):
            about = (message.duration, message.sample_rate, message.channels, message.metadata)
            entry.done.set_result(TaskResult(entry.task.path, *about))
        elif entry and isinstance(message, TaskProblem):
            entry.done.set_exception(failure_of(message))

    def _entry(self, task: str) -> _PendingTask | None:
        """Return the task, None if it was cancelled. Raises InvalidMessage for a task that was never sent."""
        entry = self._running.get(task)
        if entry is None and task not in self._given_up:
            raise InvalidMessage(f"is about an unknown task, got {task[:80]!r}")
        return entry

    def _fail_all(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(RunnerCrashed(reason))
        # Retrieved, or asyncio would warn about a load that no task waits for.
        self._ready.exception()
        for entry in self._running.values():
            if not entry.done.done():
                entry.done.set_exception(RunnerCrashed(reason))
        for channel in self._live.values():
            channel.end(RunnerCrashed(reason))


def _spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task in an empty context: it outlives the job that starts it, and must not log under its id."""
    return asyncio.create_task(work, context=Context())
