"""Our engine on a model folder: answers lines of JSON with what it measured.

python -m magenta_rt_parts.engine_worker MODEL_FOLDER
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tunesmith.generator import never_cancelled, no_progress
from tunesmith.jobs.live_pace import AHEAD_SECONDS, LivePace
from tunesmith.live_stream import MAX_BLOCK_SECONDS, LiveSettings
from tunesmith.magenta_rt.conditioning import FrameControls
from tunesmith.magenta_rt.frame_sources import steady
from tunesmith.magenta_rt.generator import MagentaGenerator
from tunesmith.magenta_rt.open_model import MagentaModel, open_model
from tunesmith.magenta_rt.request_mapping import DRAWS
from tunesmith.magenta_rt.sequence import FrameRequest
from tunesmith.magenta_rt.sound_stream import SoundStream
from tunesmith.request import GenerationRequest

PROMPTS = ("lofi hip hop with rain", "calm piano", "techno")
BLOCKS_A_CHANGE = 12
LATE_SECONDS = 0.001


class Measured:
    """What can be asked."""

    def __init__(self, folder: Path, num_rows: int) -> None:
        self._model: MagentaModel = open_model(folder, num_rows)
        self._generator = MagentaGenerator(
            folder, name="magenta-rt2-small", licence="cc-by-4.0", digest="", model_factory=lambda *_: self._model
        )

    def piece(self, seconds: float, seed: int = 1) -> dict[str, Any]:
        """Time a streamed piece, from new words to its last sample."""
        words = f"{PROMPTS[0]} {seed}"
        request = GenerationRequest.checked(prompt=words, model="magenta-rt2-small", duration=seconds, seed=seed)
        start, cpu, first = time.perf_counter(), time.process_time(), 0.0
        music = self._generator.start_stream(request, no_progress, never_cancelled)
        for _ in music.blocks():
            first = first or time.perf_counter() - start
        return {"first_sound_s": first, "seconds": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}

    def streams(self, count: int, seconds: float) -> dict[str, Any]:
        """Time streams beside each other, and compare the bytes of the first with those it has alone."""
        frames = round(seconds * self._model.architecture.frame_rate)
        requests = [self._request(seed, frames) for seed in range(count)]
        alone = self._read([self._model.engine.open(requests[0])])[0]
        start, cpu = time.perf_counter(), time.process_time()
        found = self._read([self._model.engine.open(request) for request in requests])
        made = count * found[0].shape[1] / self._model.architecture.codec.sample_rate
        return {
            "cpu_s_per_s": (time.process_time() - cpu) / made, "wall_s_per_s": (time.perf_counter() - start) / made,
            "same_bytes": found[0].tobytes() == alone.tobytes(),
        }  # fmt: skip

    def steering(self, changes: int) -> dict[str, Any]:
        """Time from a change to the first sample played by it, for a listener who keeps the usual stock of sound.

        Every change names a new prompt, which another thread encodes, as a runner does.
        """
        stream = self._generator.open_live(LiveSettings.checked(prompt=PROMPTS[0], notes=[60]), 1)
        pace, changing = LivePace(AHEAD_SECONDS), ThreadPoolExecutor(1)
        rate, played, began = stream.sample_rate, 0.0, 0.0
        changed_at, latencies, late = dict[int, float](), list[float](), 0
        asked_at, asked = 0.0, Future[None]()
        for number in range(BLOCKS_A_CHANGE * (changes + 1)):
            time.sleep(pace.wait(MAX_BLOCK_SECONDS))
            if number % BLOCKS_A_CHANGE == BLOCKS_A_CHANGE - 1 and not asked_at:
                settings = LiveSettings.checked(prompt=f"{PROMPTS[1]} {number}", notes=[60])
                asked_at, asked = time.perf_counter(), changing.submit(stream.change, settings)
            if asked_at and asked.done():
                asked.result()
                # The block that is asked for next is under way: the one after it is the first to hear the change.
                changed_at[number + 1], asked_at = asked_at, 0.0
            pace.grant(MAX_BLOCK_SECONDS)
            block = stream.next_block()
            now = time.perf_counter()
            began = began or now
            due = began + played
            if now > due:
                late, began = late + (now > due + LATE_SECONDS), now - played
            if number in changed_at:
                latencies.append(max(now, due) - changed_at[number])
            pace.send(block.shape[1] / rate, MAX_BLOCK_SECONDS)
            played += block.shape[1] / rate
        changing.shutdown()
        stream.close()
        return {"latencies_s": latencies, "late_blocks": late, "blocks": number + 1}

    def endless(self, seconds: float) -> dict[str, Any]:
        """Read one stream; return how much memory it takes more at its end than after its first ten seconds."""
        stream = self._model.engine.open(self._request(1, None))
        done, at_start = 0.0, 0.0
        rate = self._model.architecture.codec.sample_rate
        while done < seconds:
            block = stream.read()
            assert block is not None
            done += block.shape[1] / rate
            if done >= 10 and not at_start:
                at_start = _resident_mb()
        stream.close()
        return {"growth_mb": _resident_mb() - at_start}

    def _request(self, seed: int, frames: int | None) -> FrameRequest:
        style = self._model.encode_prompt(PROMPTS[0], seed)
        return FrameRequest(self._model.sources(steady(FrameControls(style=style))), seed, frames, DRAWS)

    @staticmethod
    def _read(streams: list[SoundStream]) -> list[np.ndarray[Any, Any]]:
        found: list[list[np.ndarray[Any, Any]]] = [[] for _ in streams]

        def read(stream: SoundStream, parts: list[np.ndarray[Any, Any]]) -> None:
            while (block := stream.read()) is not None:
                parts.append(block)

        readers = [
            threading.Thread(target=read, args=(stream, parts)) for stream, parts in zip(streams, found, strict=True)
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        return [np.concatenate(parts, axis=1) for parts in found]


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss / 1e6)


def main() -> None:
    """Answer until the input ends."""
    measured = Measured(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps({"resident_mb": _resident_mb()}), flush=True)
    for line in sys.stdin:
        (name, arguments) = next(iter(json.loads(line).items()))
        ask: Callable[..., dict[str, Any]] = getattr(measured, name)
        print(json.dumps({**ask(**arguments), "resident_mb": _resident_mb()}), flush=True)


if __name__ == "__main__":
    main()
