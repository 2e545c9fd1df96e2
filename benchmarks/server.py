"""What the server adds, holds and loses, measured against one in a process of its own.

python benchmarks/server.py [--only PART…] [--repeats N] [--folder FOLDER]

The folder keeps the MusicGen of random weights (1 GB; making it takes torch, transformers and 5 GB of memory) for the
next run. The last line is JSON; with --only it has that part's figures alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
from hardware import print_hardware, print_result
from server_parts import clips, events, kills, memory, musicgen_gain, overhead, stalls, start, status_rate
from server_parts.running_server import RunningServer

Measure = Callable[[Path], dict[str, float]]


def on_a_server(measure: Callable[[RunningServer], dict[str, float]]) -> Measure:
    """Start a server for a part that needs nothing but one."""

    def started(folder: Path) -> dict[str, float]:
        with RunningServer(folder) as server:
            return measure(server)

    return started


PARTS: Mapping[str, Measure] = {
    "start": start.measure,
    "overhead": on_a_server(overhead.measure),
    "status": on_a_server(status_rate.measure),
    "events": on_a_server(events.measure),
    "stalls": stalls.measure,
    "clips": on_a_server(clips.measure),
    "memory": memory.measure,
    "kills": kills.measure,
    "musicgen": musicgen_gain.measure,
}
REPEATED = ("overhead", "status", "stalls")
"""Parts whose figures the machine's other work disturbs most; of their repeats the median is told."""


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def load() -> str:
    """Say how busy the machine is."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


def measured(name: str, repeats: int, folder: Path) -> dict[str, float]:
    """Measure a part as often as it is to be."""
    began, times = time.perf_counter(), repeats if name in REPEATED else 1
    runs = [PARTS[name](folder / name / str(number)) for number in range(times)]
    print(f"{name}: {time.perf_counter() - began:.0f} s, load {load()}", flush=True)
    return medians(runs)


def main() -> None:
    """Measure, print a line for each part, and end in JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="the parts to run")
    parser.add_argument("--repeats", type=int, default=3, help=f"of {', '.join(REPEATED)}")
    parser.add_argument("--folder", type=Path, help="where the MusicGen is kept")
    options = parser.parse_args()
    print_hardware("uvicorn", "starlette", "SQLAlchemy")
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.only:
            folder = options.folder if name == "musicgen" and options.folder else Path(temporary)
            result |= measured(name, options.repeats, folder.resolve())
    print_result(result)


if __name__ == "__main__":
    main()
