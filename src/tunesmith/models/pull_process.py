"""Pulling in a process of its own: a conversion takes memory and time that a server has better uses for.

python -m tunesmith.models.pull_process takes one line of JSON, the fields of a PullRequest, and writes one JSON object
a line:

{"offer": {…}}                      what is about to be installed
{"progress": 0.4, "stage": "…"}
{"installed": name}                 the last line, or
{"failed": kind, "message": "…", "field": "…" or null}

It ends when its input does, so that no pull outlives who asked for it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from typing import Any, BinaryIO

from tunesmith.errors import INTERNAL_ERROR, InvalidRequest, TunesmithError
from tunesmith.generator import Progress
from tunesmith.models.pull import PullPlan, PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import Store

PROGRESS_SECONDS = 0.1


class PullReporter:
    """Tells how a pull goes on."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._next = 0.0

    def say(self, message: dict[str, Any]) -> None:
        """Write one message."""
        self._output.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        self._output.flush()

    def offer(self, offer: PullPlan) -> None:
        """Tell what it is."""
        self.say({"offer": {
            "name": offer.name, "source": str(offer.source), "licence": offer.licence,
            "commercial_use": offer.commercial_use, "quantization": offer.quantization,
            "download_bytes": offer.download, "installed_bytes": offer.converted,
        }})  # fmt: skip

    def progress(self, progress: Progress) -> None:
        """Tell how far it is, but not more often than anyone could look."""
        now = time.monotonic()
        if now >= self._next or progress.fraction >= 1:
            self._next = now + PROGRESS_SECONDS
            self.say({"progress": progress.fraction, "stage": progress.stage})


def run(fields: dict[str, Any], teller: PullReporter) -> None:
    """Pull a model and tell about it."""
    try:
        installed = pull(PullRequest(**fields), PullTools(Store.default()), teller.offer, teller.progress)
    except TunesmithError as error:
        field = error.field if isinstance(error, InvalidRequest) else None
        teller.say({"failed": error.code, "message": str(error), "field": field})
    except Exception as error:  # a bug, whose trace goes to the log
        traceback.print_exception(error)
        teller.say({"failed": INTERNAL_ERROR, "message": "internal error; the server's log says more", "field": None})
    else:
        teller.say({"installed": installed.name})


def main() -> None:
    """Pull what the first line of the input says."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between the messages
    fields = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    run(fields, PullReporter(output))
    os._exit(0)  # without waiting for the thread that reads


def _end_with(lines: BinaryIO) -> None:
    lines.read()
    os._exit(1)


if __name__ == "__main__":
    main()
