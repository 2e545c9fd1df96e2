"""Live streams of a started server whose model takes no time: what the server itself adds. The last line is JSON.

Time to the first sound, how long after a change it is heard by a listener who plays in real time, the processor time
of a second of sound, and the growth of the server's memory. Runs for about a minute.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psutil

from hardware import print_hardware, print_result
from server_parts.null_generator import MODEL
from server_parts.running_server import RunningServer
from tunesmith import Tunesmith
from tunesmith.client import RemoteLive

STARTS, CHANGES, LISTENERS, SECONDS = 7, 20, 8, 20.0
BETWEEN_SECONDS = 0.5


def measure_first_sound(url: str) -> float:
    """Return the median milliseconds from the call to the first block, of a model that is loaded."""
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with Tunesmith(url) as client, client.live("x", model=MODEL) as live:
            next(iter(live))
            times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def measure_steering(url: str) -> list[float]:
    """Return, for each change, the seconds from its call to its first sample, as a listener in real time hears it."""
    heard: list[float] = []
    with Tunesmith(url) as client, client.live("x", model=MODEL) as live:
        began_at, position, asked_at, is_held = 0.0, 0.0, 0.0, False
        for frame in live:
            began_at = began_at or time.monotonic()
            sounds = np.frombuffer(frame.samples, "<i2")[::2] != 0
            if asked_at and sounds[-1] == is_held:
                first = frame.position + int(np.flatnonzero(sounds == is_held)[0])
                heard.append(began_at + first / live.sample_rate - asked_at)
                asked_at = 0.0
            position = frame.position / live.sample_rate
            if not asked_at and position > BETWEEN_SECONDS * (len(heard) + 1):
                is_held, asked_at = not is_held, time.monotonic()
                live.change(notes=[60] if is_held else [])
            if len(heard) == CHANGES:
                break
    return heard


def measure_cost(server: RunningServer) -> dict[str, float]:
    """Let many listen at once; return the processor seconds of a second of each stream, and the growth of memory."""
    with ExitStack() as streams:
        client = streams.enter_context(Tunesmith(server.url))
        playing = [streams.enter_context(client.live("x", model=MODEL, notes=[60])) for _ in range(LISTENERS)]
        runners = server.process.children(recursive=True)
        before, memory = processor_seconds(server.process, *runners), server.process.memory_info().rss
        threads = [threading.Thread(target=hear, args=(live,)) for live in playing]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = processor_seconds(server.process, *runners) - before
        grown = (server.process.memory_info().rss - memory) / 1e6
    print(f"{LISTENERS} streams of {SECONDS:g} s: {took:.1f} s of the processor, {grown:.1f} MB more memory")
    return {"cpu_s_per_s": took / (LISTENERS * SECONDS), "memory_growth_mb": grown}


def hear(live: RemoteLive) -> None:
    """Hear so many seconds."""
    for frame in live:
        if frame.position >= SECONDS * live.sample_rate:
            return


def processor_seconds(*processes: psutil.Process) -> float:
    """Return how long processes have computed."""
    return sum(one.cpu_times().user + one.cpu_times().system for one in processes)


def main() -> None:
    """Measure all."""
    print_hardware("uvicorn", "websockets")
    many = str(LISTENERS)
    variables = {"TUNESMITH_LIVE_STREAMS": many, "TUNESMITH_LIVE_STREAMS_PER_CALLER": many}
    with tempfile.TemporaryDirectory() as folder, RunningServer(Path(folder), **variables) as server:
        measure_first_sound(server.url)
        first, steering = measure_first_sound(server.url), measure_steering(server.url)
        print(f"a change is heard after {min(steering):.3f} to {max(steering):.3f} s")
        result = {"first_sound_ms": first, "steering_latency_s": statistics.median(steering), **measure_cost(server)}
    print_result(result)


if __name__ == "__main__":
    main()
