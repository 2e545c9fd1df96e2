"""What our clients add to a request, in Python and in JavaScript; the last line is one JSON of both.

Against ``tunesmith serve`` in a process of its own, over a generator that does no work: each client in turn with plain
HTTP by the library it stands on (httpx, Node's fetch), in one run; and against a server that refuses. Runs for about a
minute; clients.mjs is the JavaScript half.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx

from hardware import print_hardware, print_result
from server_parts.null_generator import MODEL
from server_parts.refusing_server import RefusingServer
from server_parts.running_server import RunningServer
from tunesmith import AsyncTunesmith, Tunesmith

ROUNDS, AT_ONCE, PIECES, STAGES = 100, 16, 200, "2 x40"
LIMIT_SECONDS = 60
JAVASCRIPT = Path(__file__).with_suffix(".mjs")
ORDER = {"prompt": "0", "model": MODEL}
Numbers = dict[str, float]


def in_turn(plain: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float]:
    """Return the median milliseconds of each, called one after the other."""
    times: tuple[list[float], list[float]] = ([], [])
    for call, taken in [(plain, times[0]), (ours, times[1])] * ROUNDS:
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times[0]), statistics.median(times[1])


def measure_waiting(http: httpx.Client, client: Tunesmith) -> Numbers:
    """Compare ``Tunesmith.generate`` with posting to /api/generate."""
    plain, ours = in_turn(
        lambda: http.post("/api/generate", json=ORDER).raise_for_status(), lambda: client.generate("0", model=MODEL)
    )
    return {"plain_ms": plain, "client_ms": ours}


def first_chunk(chunks: Iterable[bytes]) -> float:
    """Return the milliseconds to the first chunk; take the rest, so that the next finds the connection free."""
    began, first = time.perf_counter(), 0.0
    for chunk in chunks:
        first = first or (bool(chunk) and (time.perf_counter() - began) * 1e3)
    return first


def measure_streams(http: httpx.Client, client: Tunesmith) -> Numbers:
    """Compare the first chunk of ``Tunesmith.stream`` with that of /api/generate?stream=true."""

    def streamed() -> Iterable[bytes]:
        with http.stream("POST", "/api/generate", params={"stream": "true"}, json=ORDER) as answer:
            yield from answer.raise_for_status().iter_bytes()

    times = [(first_chunk(streamed()), first_chunk(client.stream("0", model=MODEL))) for _ in range(ROUNDS)]
    plain, ours = (statistics.median(each) for each in zip(*times, strict=True))
    return {"first_chunk_plain_ms": plain, "first_chunk_client_ms": ours}


def measure_progress(client: Tunesmith) -> Numbers:
    """Return how long after each stage began ``follow`` tells of it."""
    late: dict[str, float] = {}
    for job in client.follow(client.submit(STAGES, model=MODEL).id):
        if job.stage.replace(".", "").isdecimal():
            late.setdefault(job.stage, (time.time() - float(job.stage)) * 1e3)
    return {"progress_late_ms": statistics.median(late.values()), "progress_late_worst_ms": max(late.values())}


async def _many(url: str) -> float:
    async with AsyncTunesmith(url) as client:
        began, left = time.perf_counter(), iter(range(PIECES))

        async def worker() -> None:
            for _ in left:
                await client.generate("0", model=MODEL)

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        return PIECES / (time.perf_counter() - began)


async def _refused(url: str) -> None:
    async with AsyncTunesmith(url) as client:
        await asyncio.gather(*(client.job(f"python{at}") for at in range(AT_ONCE)))


def measure_python(url: str, refusing_url: str) -> Numbers:
    """Run it in this process."""
    with httpx.Client(base_url=url, timeout=LIMIT_SECONDS) as http, Tunesmith(url) as client:
        numbers = measure_waiting(http, client) | measure_streams(http, client) | measure_progress(client)
    numbers["pieces_per_s"] = statistics.median(asyncio.run(_many(url)) for _ in range(3))
    asyncio.run(_refused(refusing_url))
    return numbers


def node() -> str:
    """Return the path of Node."""
    found = shutil.which("node")
    if found is None:
        raise SystemExit("node is not there")
    return found


def measure_javascript(url: str, refusing_url: str) -> Numbers:
    """Run the same in Node."""
    command = [node(), str(JAVASCRIPT), url, refusing_url, MODEL, str(ROUNDS)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_SECONDS)
    numbers: Numbers = json.loads(ran.stdout)
    return numbers


def with_refusals(measure: Callable[[str, str], Numbers], url: str) -> Numbers:
    """Add what the refusing server saw: how late each came back, and the requests it took for each call."""
    with RefusingServer() as refusing:
        numbers = measure(url, refusing.url)
        notes = refusing.notes
    late = [seconds * 1e3 for seconds in notes.late]
    return {
        **numbers,
        "client_adds_ms": numbers["client_ms"] - numbers["plain_ms"],
        "retry_earliest_ms": min(late), "retry_late_ms": statistics.median(late), "retry_latest_ms": max(late),
        "requests_per_refused_call": sum(notes.asked.values()) / len(notes.asked),
    }  # fmt: skip


def report(language: str, numbers: Numbers) -> Numbers:
    """Print what was measured and return it by the language's name."""
    told = {name: round(value, 1) for name, value in numbers.items()}
    print(
        f"{language}: one piece, plain {told['plain_ms']} ms, client {told['client_ms']} ms; first chunk, plain "
        f"{told['first_chunk_plain_ms']} ms, client {told['first_chunk_client_ms']} ms; {AT_ONCE} at once, "
        f"{told['pieces_per_s']} pieces a second; progress is told {told['progress_late_ms']} ms late, at worst "
        f"{told['progress_late_worst_ms']} ms; refused, it came back {told['retry_earliest_ms']} to "
        f"{told['retry_latest_ms']} ms after the time it was given, with {told['requests_per_refused_call']} requests"
    )
    return {f"{language.lower()}_{name}": value for name, value in numbers.items()}


def main() -> None:
    """Run it all."""
    print_hardware("httpx")
    print("Node", subprocess.check_output([node(), "--version"], text=True).strip())
    with tempfile.TemporaryDirectory() as folder, RunningServer(Path(folder)) as server:
        server.post("/api/generate", ORDER)  # load the model
        result = report("Python", with_refusals(measure_python, server.url))
        result |= report("JavaScript", with_refusals(measure_javascript, server.url))
    print_result(result)


if __name__ == "__main__":
    main()
