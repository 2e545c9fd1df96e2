"""What MusicGen gains when eight callers ask at once instead of one: real size, random weights, over HTTP."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from server_parts.running_server import RunningServer, environment

MODEL, CALLERS, CLIP_SECONDS = "musicgen-of-random-weights", 8, 5


def install(folder: Path) -> None:
    """Make a checkpoint and pull it, unless the data folder has it already."""
    data = folder / "data"
    if (data / "models" / MODEL).exists():
        return
    checkpoint = folder / "checkpoint"
    benchmarks = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "musicgen_parts.checkpoint", str(checkpoint)]
    subprocess.run(command, cwd=benchmarks, check=True)
    (checkpoint / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    pull = [sys.executable, "-m", "tunesmith", "pull", str(checkpoint), "--name", MODEL, "--quiet"]
    subprocess.run(pull, env=environment(folder), check=True)


def _seconds(server: RunningServer, callers: int) -> float:
    """Return how long it takes until so many callers have their clips, who all ask at the same time."""
    body = {"prompt": "lofi hip hop with rain", "model": MODEL, "duration": CLIP_SECONDS}
    threads = [threading.Thread(target=server.post, args=("/api/generate", body)) for _ in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def measure(folder: Path) -> dict[str, float]:
    """Return the seconds of audio a second with eight callers over those with one, asked before and after."""
    install(folder)
    with RunningServer(folder) as server:
        server.post("/api/generate", {"prompt": "warm", "model": MODEL, "duration": 1})
        one, many, again = (_seconds(server, callers) for callers in (1, CALLERS, 1))
    alone, together = CLIP_SECONDS / ((one + again) / 2), CLIP_SECONDS * CALLERS / many
    print(f"musicgen: {alone:.2f} s of audio a second for one caller, {together:.2f} for {CALLERS}")
    return {"musicgen_batch_gain": together / alone}
