"""Interrupts: Ctrl-C and the system's request to end, which may come while libsndfile calls back into Python.

An exception raised in such a callback is dropped: the command would go on, or report a file that cannot be read. A
signal that comes there is sent again a moment later.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

TERMINATED = 143
"""What shells report for SIGTERM."""

RETRY_SECONDS = 0.01
CALLBACKS = "vio_"
"""How the functions begin with which soundfile serves libsndfile's reads and writes of Python's files."""


def handle_interrupts() -> None:
    """Let SIGINT raise KeyboardInterrupt and SIGTERM SystemExit wherever the main thread is; a SIGINT ignored stays so.

    ``finally`` blocks run for both, so that a stopped run leaves no half file.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not _is_retried(number, frame):
        raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> None:
    if not _is_retried(number, frame):
        sys.exit(TERMINATED)


def _is_retried(number: int, frame: FrameType | None) -> bool:
    """Send the signal again soon where the main thread is in a callback."""
    while frame is not None:
        if frame.f_code.co_name.startswith(CALLBACKS):
            timer = threading.Timer(RETRY_SECONDS, signal.raise_signal, (number,))
            timer.daemon = True
            timer.start()
            return True
        frame = frame.f_back
    return False
