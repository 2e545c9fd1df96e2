"""Our engine on a model folder: answers lines of JSON with what it measured.

python -m magenta_rt_parts.engine_worker MODEL_FOLDER
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tunesmith.generator import never_cancelled, no_progress
from tunesmith.live_stream import LiveSettings
from tunesmith.magenta_rt.conditioning import FrameControls
from tunesmith.magenta_rt.frame_sources import steady
from tunesmith.magenta_rt.generator import MagentaGenerator
from tunesmith.magenta_rt.open_model import MagentaModel, open_model
from tunesmith.magenta_rt.request_mapping import DRAWS
from tunesmith.magenta_rt.sequence import FrameRequest
from tunesmith.magenta_rt.sound_stream import SoundStream
from tunesmith.request import GenerationRequest

PROMPTS = ("lofi hip hop with rain", "calm piano", "techno")
PLAYED_AHEAD_SECONDS = 0.08
"""The stock of a player: one block."""


class Measured:
    """What can be asked."""

    def __init__(self, folder: Path, num_rows: int) -> None:
        self._model: MagentaModel = open_model(folder, num_rows)
        self._generator = MagentaGenerator(
            folder, name="magenta-rt2-small", licence="cc-by-4.0", digest="", model_factory=lambda *_: self._model
        )

    def piece(self, seconds: float, seed: int = 1) -> dict[str, Any]:
        """Time a streamed piece, from the words to its last sample."""
        request = GenerationRequest.checked(prompt=PROMPTS[0], model="magenta-rt2-small", duration=seconds, seed=seed)
        start, cpu, first = time.perf_counter(), time.process_time(), 0.0
        music = self._generator.start_stream(request, no_progress, never_cancelled)
        for _ in music.blocks():
            first = first or time.perf_counter() - start
        return {"first_sound_s": first, "seconds": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}

    def streams(self, count: int, seconds: float) -> dict[str, Any]:
        """Time streams beside each other, and compare the bytes of the first with those it has alone."""
        frames = round(seconds * self._model.architecture.frame_rate)
        alone = self._read([self._open(0, frames)])[0]
        start, cpu = time.perf_counter(), time.process_time()
        found = self._read([self._open(seed, frames) for seed in range(count)])
        made = count * found[0].shape[1] / self._model.architecture.codec.sample_rate
        return {
            "cpu_s_per_s": (time.process_time() - cpu) / made, "wall_s_per_s": (time.perf_counter() - start) / made,
            "same_bytes": found[0].tobytes() == alone.tobytes(),
        }  # fmt: skip

    def steering(self, changes: int) -> dict[str, Any]:
        """Time from a change to the end of the first block that it is heard in, at a listener in real time."""
        settings = [LiveSettings.checked(prompt=prompt, notes=[60]) for prompt in PROMPTS]
        stream, found = self._generator.open_live(settings[0], 1), []
        rate = stream.sample_rate
        # The player begins with one block, and asks for the next when it begins to play the one before.
        block = stream.next_block()
        due = time.perf_counter()
        changed_at: list[float] = []
        late = 0
        for number in range(12 * changes):
            due += block.shape[1] / rate
            if number % 12 == 5:
                changed_at.append(time.perf_counter())
                stream.change(settings[1 + number // 12 % 2])
            block = stream.next_block()
            late += time.perf_counter() > due
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            if changed_at:
                found.append(time.perf_counter() - changed_at.pop())
        stream.close()
        return {"latencies_s": found, "late_blocks": late, "blocks": 12 * changes}

    def endless(self, seconds: float) -> dict[str, Any]:
        """Read one stream; return how much memory it takes more at its end than after its first ten seconds."""
        stream = self._open(1, None)
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

    def _open(self, seed: int, frames: int | None) -> SoundStream:
        style = self._model.style.encode([(PROMPTS[0], 1.0)], seed)
        sources = self._model.sources(steady(FrameControls(style=style)))
        return self._model.engine.open(FrameRequest(sources, seed, frames, DRAWS))

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
