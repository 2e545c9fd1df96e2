"""Waiting for a service without losing sight of who may cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from threading import Event, Thread
from typing import Any, TypeVar

from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck

T = TypeVar("T")
LOOK_SECONDS = 0.1


def run_cancellable(work: Coroutine[Any, Any, T], cancelled: CancelCheck) -> T:
    """Run the work in a thread with an event loop of its own, since the caller may be in one, and return its result.

    Raises GenerationCancelled soon after ``cancelled()`` is true; the work is then cancelled, and heard out.
    """
    result: Future[T] = Future()
    runner = _Runner(work, result)
    runner.thread.start()
    try:
        while True:
            try:
                return result.result(timeout=LOOK_SECONDS)
            except NotYet:
                if result.done():
                    raise
                if cancelled():
                    raise GenerationCancelled from None
    finally:
        runner.stop()


class _Runner:
    def __init__(self, work: Coroutine[Any, Any, T], result: Future[T]) -> None:
        self.thread = Thread(target=self._run, args=(work, result), daemon=True)
        self._started = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def stop(self) -> None:
        """Cancel the work if it is not done, and wait until it has cleared up."""
        self._started.wait()
        if self._loop and self._task and not self._loop.is_closed():
            with suppress(RuntimeError):  # it came to its end meanwhile
                self._loop.call_soon_threadsafe(self._task.cancel)
        self.thread.join()

    def _run(self, work: Coroutine[Any, Any, T], result: Future[T]) -> None:
        async def main() -> T:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            self._started.set()
            return await work

        try:
            result.set_result(asyncio.run(main()))
        except asyncio.CancelledError:
            result.set_exception(GenerationCancelled())
        except BaseException as error:  # passed on to the thread that waits
            result.set_exception(error)
