"""Signal handlers for SIGINT (Ctrl-C) and SIGTERM, which may arrive where an exception would be lost or do harm.

An exception raised while libsndfile calls back into Python, or in a ``__del__``, is lost: the command would go on, or
report an unreadable file. One raised while soundfile closes a file leaves it marked as open, so that its memory is
freed a second time, which aborts the process. The handlers raise a signal that arrives there again a moment later.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

TERMINATED = 143
"""The exit code that shells report for SIGTERM."""

RETRY_SECONDS = 0.01
LIBRARY = "soundfile"
CALLBACKS = "vio_"
"""The prefix of soundfile's callbacks, through which libsndfile reads and writes Python's file objects."""


def handle_interrupts() -> None:
    """Install signal handlers: SIGINT raises KeyboardInterrupt, SIGTERM raises SystemExit with 143.

    ``finally`` blocks run for both, so that a stopped run leaves no partial file.
    """
    # A SIGINT that the parent process ignores, as a shell does for background jobs, stays ignored.
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
    """Return whether the main thread is where no exception may be raised; raise the signal again soon if so."""
    while frame is not None:
        if _must_be_finished(frame):
            timer = threading.Timer(RETRY_SECONDS, signal.raise_signal, (number,))
            # A pending timer must not keep a finished program alive.
            timer.daemon = True
            timer.start()
            return True
        frame = frame.f_back
    return False


def _must_be_finished(frame: FrameType) -> bool:
    """Return whether the frame is a finalizer, a callback of soundfile, or its function that closes a file."""
    name = frame.f_code.co_name
    is_soundfile = frame.f_globals.get("__name__") == LIBRARY
    return name == "__del__" or (is_soundfile and (name == "close" or name.startswith(CALLBACKS)))
