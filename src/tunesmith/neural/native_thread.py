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
        # A daemon, or Python would wait for the thread before the hook at exit asks it to stop.
        super().__init__(target=work, name=name, daemon=True)
        self.stop = stop


@atexit.register
def _end_all() -> None:
    threads = [thread for thread in threading.enumerate() if isinstance(thread, NativeThread)]
    for thread in threads:
        thread.stop()
    for thread in threads:
        thread.join(JOIN_SECONDS)
