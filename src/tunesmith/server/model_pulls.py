"""Pulls: model downloads at a caller's request, each in its own process, so that a pull can be stopped at any point."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict
from typing import Any

from tunesmith.licences import UNKNOWN_LICENCE
from tunesmith.models.licence_acceptance import check_accepted
from tunesmith.models.pull_request import PullRequest, locate
from tunesmith.models.store import Store
from tunesmith.server.errors import PullInProgress

LONGEST_LINE = 1 << 20
CRASHED: Mapping[str, Any] = {"failed": "Crashed", "message": "the pull ended before it was complete", "field": None}
log = logging.getLogger("tunesmith.server")


class Pulls:
    """The active pulls, at most one per model. Use it from one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[str, Pull] = {}

    async def begin(self, request: PullRequest) -> Pull:
        """Start a pull. Raises the errors of ``locate``, InvalidRequest without acceptance, and PullInProgress."""
        name = await asyncio.to_thread(_checked_name, request)
        if name in self._under_way:
            raise PullInProgress(name)
        pull = self._under_way[name] = Pull(request)
        pull.task.add_done_callback(lambda _: self._under_way.pop(name, None))
        return pull

    async def close(self) -> None:
        """Stop all pulls; a later pull of the same model resumes the partial downloads."""
        await asyncio.gather(*(pull.stop() for pull in list(self._under_way.values())))


def _checked_name(request: PullRequest) -> str:
    """Return the name of the model, before the stream begins: errors then have a status of their own."""
    located = locate(request)
    if located.entry and located.entry.accept_licence:
        folder, licence = Store.default().folder, located.entry.licence or UNKNOWN_LICENCE
        check_accepted(folder, located.name, licence, accepted_now=request.accept_licence)
    return located.name


class Pull:
    """One pull; the messages of its process are queued until they are read."""

    def __init__(self, request: PullRequest) -> None:
        self._request = request
        self._messages_read: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.task = asyncio.create_task(self._run())

    async def next(self, seconds: float) -> Mapping[str, Any] | None:
        """Return the next message of the process, or None after ``seconds`` of silence.

        The messages are those of ``models/pull_process.py``; the last is ``installed`` or ``failed``.
        """
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._messages_read.get(), seconds)
        return None

    async def stop(self) -> None:
        """Stop the pull."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        """Queue the messages of the process; there is always a last one, however it ends."""
        has_ended = False
        try:
            async with contextlib.aclosing(self._messages()) as messages:
                async for message in messages:
                    self._messages_read.put_nowait(message)
                    has_ended = "installed" in message or "failed" in message
        except (OSError, ValueError) as error:
            log.error("the process of a pull failed: %s", error)
        finally:
            if not has_ended:
                self._messages_read.put_nowait(CRASHED)

    async def _messages(self) -> AsyncGenerator[Mapping[str, Any]]:
        """Yield the messages of the process. Raises OSError if it cannot start, ValueError for an invalid message."""
        # A process and not a thread: only a process can be killed in the middle of a download or a conversion.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tunesmith.models.pull_process",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(asdict(self._request)).encode() + b"\n")
            async for line in process.stdout:
                message = json.loads(line)
                if not isinstance(message, dict):
                    raise ValueError(f"message: must be a JSON object, got {line[:80]!r}")
                yield message
        # Also on cancellation: the process must not outlive the pull.
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            process.stdin.close()
