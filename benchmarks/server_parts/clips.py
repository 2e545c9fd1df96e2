"""How many clips a minute come out of the composer when several callers ask without a pause."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

from server_parts.running_server import RunningServer

CALLERS, CLIP_SECONDS, SECONDS = 6, 10, 25.0
PROMPTS = (
    "lofi hip hop with rain sounds", "calm solo piano", "upbeat house, 124 bpm", "epic orchestral trailer",
    "acoustic folk guitar", "dark ambient drone", "8-bit chiptune", "slow jazz trio",
)  # fmt: skip


def compose(server: RunningServer, prompt: str) -> None:
    """Ask for a clip and read it whole."""
    body = {"prompt": prompt, "model": "composer", "duration": CLIP_SECONDS}
    if not server.post("/api/generate", body):
        raise SystemExit("an empty clip")


def _ask(server: RunningServer, prompts: Iterator[str], done: list[float], until: float) -> None:
    while time.perf_counter() < until:
        compose(server, next(prompts))
        done.append(time.perf_counter())


def compose_for(server: RunningServer, seconds: float) -> float:
    """Have all callers ask for so long; return the clips a minute."""
    prompts, done = itertools.cycle(PROMPTS), list[float]()
    began = time.perf_counter()
    callers = [threading.Thread(target=_ask, args=(server, prompts, done, began + seconds)) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return len(done) / (max(done) - began) * 60


def measure(server: RunningServer) -> dict[str, float]:
    """Return the clips a minute, once the processes are warm."""
    compose_for(server, 0.1)
    clips = compose_for(server, SECONDS)
    print(f"clips: {clips:.0f} of {CLIP_SECONDS} s a minute for {CALLERS} callers, {len(PROMPTS)} genres in turn")
    return {"composer_clips_per_min": clips}
