"""What our clients add to a request, and how many pieces they have made at once; the last line is JSON.

Against ``tunesmith serve`` in a process of its own, over a generator that does no work: each client in turn with plain
HTTP by the library it stands on, in one run. Runs for about a minute.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from hardware import print_hardware, print_result
from server_parts.null_generator import MODEL
from server_parts.running_server import RunningServer
from tunesmith import AsyncTunesmith, Tunesmith

ROUNDS, AT_ONCE, PIECES = 100, 16, 200
JAVASCRIPT = Path(__file__).parent / "clients.mjs"
ORDER = {"prompt": "0", "model": MODEL}


def in_turn(plain: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float]:
    """Return the median milliseconds of each, called one after the other."""
    times: tuple[list[float], list[float]] = ([], [])
    for call, taken in [(plain, times[0]), (ours, times[1])] * ROUNDS:
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times[0]), statistics.median(times[1])


def measure_waiting(url: str) -> dict[str, float]:
    """Compare ``Tunesmith.generate`` with posting to /api/generate."""
    with httpx.Client(base_url=url) as http, Tunesmith(url) as client:
        plain, ours = in_turn(
            lambda: http.post("/api/generate", json=ORDER).raise_for_status(),
            lambda: client.generate("0", model=MODEL),
        )
    print(f"Python: one piece, plain httpx {plain:.1f} ms, Tunesmith.generate {ours:.1f} ms")
    return {"python_plain_ms": plain, "python_client_ms": ours, "python_client_adds_ms": ours - plain}


async def _many(url: str) -> float:
    async with AsyncTunesmith(url) as client:
        began, left = time.perf_counter(), iter(range(PIECES))

        async def worker() -> None:
            for _ in left:
                await client.generate("0", model=MODEL)

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        return PIECES / (time.perf_counter() - began)


def measure_many(url: str) -> dict[str, float]:
    """Return how many pieces a second one AsyncTunesmith has made."""
    rate = statistics.median(asyncio.run(_many(url)) for _ in range(3))
    print(f"Python: {AT_ONCE} at once by one AsyncTunesmith, {rate:.0f} pieces a second")
    return {"python_async_pieces_per_s": rate}


def measure_javascript(url: str) -> dict[str, float]:
    """Run the same in Node."""
    node = shutil.which("node")
    if node is None:
        raise SystemExit("node is not there")
    ran = subprocess.run([node, JAVASCRIPT, url, MODEL, str(ROUNDS)], capture_output=True, text=True, check=True)
    times: dict[str, float] = json.loads(ran.stdout)
    print(f"Node: one piece, plain fetch {times['plain']:.1f} ms, Tunesmith.generate {times['ours']:.1f} ms")
    return {
        "javascript_plain_ms": times["plain"], "javascript_client_ms": times["ours"],
        "javascript_client_adds_ms": times["ours"] - times["plain"],
    }  # fmt: skip


def main() -> None:
    """Run it all."""
    print_hardware("httpx")
    with tempfile.TemporaryDirectory() as folder, RunningServer(Path(folder)) as server:
        server.post("/api/generate", ORDER)  # load the model
        result = measure_waiting(server.url) | measure_many(server.url)
        if JAVASCRIPT.exists():
            result |= measure_javascript(server.url)
    print_result(result)


if __name__ == "__main__":
    main()
