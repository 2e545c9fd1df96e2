"""NativeThread: a thread that runs native code, and ends before Python does.

When Python ends, it ends the threads that come back to it from ONNX Runtime inside their call, and C++ then aborts the
process.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable

JOIN_SECONDS = 5.0
"""How long the end of the process waits for a thread; a step of a model takes a fraction of a second."""


class NativeThread(threading.Thread):
    """A thread that runs ``work``; ``stop`` asks it to return soon, and is called when Python ends."""

    def __init__(self, work: Callable[[], None], stop: Callable[[], None], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._ask_to_stop = stop

    def run(self) -> None:
        """Run the work."""
        _running.add(self)
        try:
            self._work()
        finally:
            _running.discard(self)


_running: set[NativeThread] = set()


@atexit.register
def _end_all() -> None:
    threads = list(_running)
    for thread in threads:
        thread._ask_to_stop()
    for thread in threads:
        thread.join(JOIN_SECONDS)
