"""Pull in a process of its own: a conversion would take memory and CPU time from the server.

python -m tunesmith.models.pull_process reads one line of JSON, the fields of a PullRequest, and writes one JSON object
a line:

{"offer": {…}}                      what is about to be installed
{"progress": 0.4, "stage": "…"}
{"installed": name}                 the last line, or
{"failed": kind, "message": "…", "field": "…" or null}

It ends when its input does, so that no pull outlives its caller.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from typing import Any, BinaryIO

from tunesmith.errors import BUG_MESSAGE, INTERNAL_ERROR, InvalidRequest, TunesmithError
from tunesmith.generator import Progress
from tunesmith.models.pull import PullPlan, PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import Store

PROGRESS_SECONDS = 0.1


class PullReporter:
    """The writer of a pull's messages."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._next = 0.0

    def say(self, message: dict[str, Any]) -> None:
        """Write one message and flush it."""
        self._output.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        self._output.flush()

    def offer(self, offer: PullPlan) -> None:
        """Report the plan of the pull."""
        self.say({"offer": {
            "name": offer.name, "source": str(offer.source), "licence": offer.licence,
            "notice": offer.notice or None,
            **offer.terms.to_json(), "quantization": offer.quantization,
            "download_bytes": offer.download, "installed_bytes": offer.converted,
        }})  # fmt: skip

    def progress(self, progress: Progress) -> None:
        """Report the progress, throttled."""
        now = time.monotonic()
        if now >= self._next or progress.fraction >= 1:
            self._next = now + PROGRESS_SECONDS
            self.say({"progress": progress.fraction, "stage": progress.stage})


def run(fields: dict[str, Any], teller: PullReporter) -> None:
    """Pull a model and report the outcome; every error becomes a message."""
    try:
        installed = pull(PullRequest(**fields), PullTools(Store.default()), teller.offer, teller.progress)
    except TunesmithError as error:
        field = error.field if isinstance(error, InvalidRequest) else None
        teller.say({"failed": error.code, "message": str(error), "field": field})
    except Exception as error:
        # The border of the process: a bug, whose trace goes to the log.
        traceback.print_exception(error)
        teller.say({"failed": INTERNAL_ERROR, "message": BUG_MESSAGE, "field": None})
    else:
        teller.say({"installed": installed.name})


def main() -> None:
    """Pull the model that the first line of the input describes."""
    output = os.fdopen(os.dup(1), "wb")
    # Output that a library prints goes to the log, not between the messages.
    os.dup2(2, 1)
    fields = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    run(fields, PullReporter(output))
    # Without waiting for the thread that blocks on the input.
    os._exit(0)


def _end_with(lines: BinaryIO) -> None:
    # The end of the input means that the parent has gone or cancelled the pull.
    lines.read()
    os._exit(1)


if __name__ == "__main__":
    main()
