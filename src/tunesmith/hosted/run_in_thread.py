"""Blocking execution of a coroutine that polls for cancellation."""

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
    """Run the coroutine in a thread with its own event loop, as the caller may be inside one; return its result.

    Raises GenerationCancelled soon after ``cancelled()`` is true. The coroutine is then cancelled, and its cleanup
    awaited.
    """
    result: Future[T] = Future()
    runner = _Runner(work, result)
    runner.thread.start()
    try:
        while True:
            try:
                return result.result(timeout=LOOK_SECONDS)
            except NotYet:
                # The coroutine itself may raise a TimeoutError, which is the same class.
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
        """Cancel the coroutine if it still runs, and wait for its cleanup."""
        # Before the start there is no task to cancel.
        self._started.wait()
        if self._loop and self._task and not self._loop.is_closed():
            # The loop closed in the meantime.
            with suppress(RuntimeError):
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
        # The waiting thread raises it.
        except BaseException as error:
            result.set_exception(error)
