"""Our engine on an installed model: answers lines of JSON with what it measured.

python -m musicgen_parts.engine_worker MODEL_FOLDER ROWS
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

began = time.perf_counter()

import itertools

from tunesmith.audio import Audio
from tunesmith.musicgen.engine import Engine
from tunesmith.musicgen.open_engine import EngineOptions, open_engine
from tunesmith.musicgen.sequence import SequenceRequest

PROMPT = "lofi hip hop with rain sounds, 90 bpm"
FIRST_PIECE_FRAMES = 25


class Measured:
    """What can be asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._frame_rate = engine.architecture.frame_rate

    def steps(self, steps: int) -> dict[str, Any]:
        """Time each step of one guided sequence."""
        times, done = [time.perf_counter()], [0]

        def on_step(steps_done: int, _: int) -> None:
            if steps_done > done[0]:
                times.append(time.perf_counter())
                done[0] = steps_done

        self._run(steps - max(self._engine.architecture.delays), on_step)
        return {"steps_ms": [1e3 * (b - a) for a, b in itertools.pairwise(times)]}

    def clip(self, seconds: float, path: str) -> dict[str, Any]:
        """Time a whole clip from text to a WAV."""
        start = time.perf_counter()
        codes = self._run(round(seconds * self._frame_rate))
        coded = time.perf_counter()
        Audio(self._engine.codec.decode(codes), self._engine.architecture.codec.sample_rate).save(path)
        return {"seconds": time.perf_counter() - start, "codec_seconds": time.perf_counter() - coded}

    def stream(self, seconds: float) -> dict[str, Any]:
        """Time the first samples that can be heard."""
        start = time.perf_counter()
        sequence = self._engine.submit(self._request(round(seconds * self._frame_rate), 1))
        sound, first = self._engine.codec.stream(), 0.0
        for codes in self._engine.stream(sequence, FIRST_PIECE_FRAMES, lambda *_: None, lambda: False):
            if sound.feed(codes).shape[1] and not first:
                first = time.perf_counter() - start
        sound.finish()
        return {"first_audio_s": first, "seconds": time.perf_counter() - start}

    def batch(self, requests: int, seconds: float) -> dict[str, Any]:
        """Time this many requests at once, each followed by a thread of its own as in a server."""
        frames = round(seconds * self._frame_rate)
        start = time.perf_counter()
        threads = [threading.Thread(target=self._sound, args=(frames, seed)) for seed in range(requests)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"audio_seconds_per_second": requests * seconds / (time.perf_counter() - start)}

    def _sound(self, frames: int, seed: int) -> None:
        self._engine.codec.decode(self._run(frames, seed=seed))

    def _run(self, frames: int, on_step: Any = lambda *_: None, seed: int = 1) -> Any:
        sequence = self._engine.submit(self._request(frames, seed))
        return self._engine.run(sequence, on_step, lambda: False)

    def _request(self, frames: int, seed: int) -> SequenceRequest:
        return SequenceRequest(self._engine.tokenizer.encode(PROMPT).ids, frames, seed=seed)


def main(folder: Path, rows: int) -> None:
    """Open the engine, run its first step, say so, then answer."""
    measured = Measured(open_engine(folder, EngineOptions(num_rows=rows)))
    measured.steps(4)
    print(json.dumps({"first_codes_s": time.perf_counter() - began}), flush=True)
    for line in sys.stdin:
        question, arguments = json.loads(line).popitem()
        print(json.dumps(getattr(measured, question)(**arguments)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
