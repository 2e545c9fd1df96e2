"""Our engine on a model folder: answers lines of JSON with what it measured.

python -m stable_audio_parts.engine_worker MODEL_FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

began = time.perf_counter()

import numpy as np

from tunesmith.generator import never_cancelled, no_progress
from tunesmith.neural.sessions import ALL_CORES
from tunesmith.request import GenerationRequest
from tunesmith.stable_audio.conditions import stack
from tunesmith.stable_audio.generator import StableAudioGenerator
from tunesmith.stable_audio.model_folder import TRANSFORMER
from tunesmith.stable_audio.networks import StableAudioNetworks
from tunesmith.stable_audio.noise import standard_normals

PROMPT = "warm lofi beat, 82 bpm, F minor"


class Measured:
    """What can be asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._networks = StableAudioNetworks(folder, ALL_CORES)
        self._generator = StableAudioGenerator(
            folder, name="benchmark", licence="mit", digest="", open_networks=lambda _: self._networks
        )

    def clip(self, seconds: float, path: str) -> dict[str, Any]:
        """Time a piece from the prompt to a WAV."""
        start = time.perf_counter()
        self._generator.generate(_request(seconds), no_progress, never_cancelled).save(path)
        return {"seconds": time.perf_counter() - start}

    def stream(self, seconds: float) -> dict[str, Any]:
        """Time the first samples that can be heard, and the decoding after them."""
        start, first = time.perf_counter(), 0.0
        for _ in self._generator.stream(_request(seconds)):
            first = first or time.perf_counter() - start
        return {"first_audio_s": first, "decode_s": time.perf_counter() - start - first}

    def steps(self, latents: int, steps: int, rows: int = 1) -> dict[str, Any]:
        """Time steps of the transformer."""
        networks = self._networks
        states = standard_normals(1, 0, (24, networks.architecture.diffusion.condition_width))
        one = networks.condition(states, 30.0)
        conditioning = one if rows == 1 else stack([one] * rows)
        noise = standard_normals(1, 1, (latents, networks.architecture.diffusion.latent_channels))
        x = noise if rows == 1 else np.stack([noise] * rows)
        times = []
        for step in range(steps):
            start = time.perf_counter()
            networks.velocity(x, 1 - step / steps, conditioning)
            times.append(time.perf_counter() - start)
        return {"steps_s": times}

    def floor(self, latents: int) -> dict[str, Any]:
        """Time the products with weights of a step, each by itself."""
        # It imports what builds graphs, which no start of a model waits for.
        from stable_audio_parts.arithmetic import floor_seconds

        positions = self._networks.architecture.diffusion.num_memory_tokens + latents
        return {"seconds": floor_seconds(self._folder / TRANSFORMER, positions)}

    def decode(self, latents: int) -> dict[str, Any]:
        """Time the decoder on a window."""
        channels = self._networks.architecture.diffusion.latent_channels
        start = time.perf_counter()
        self._networks.decode(standard_normals(1, 0, (latents, channels)))
        return {"seconds": time.perf_counter() - start}


def _request(seconds: float) -> GenerationRequest:
    return GenerationRequest.checked(prompt=PROMPT, model="benchmark", seed=1, duration=seconds)


def main(folder: Path) -> None:
    """Open the model, run its first step, say so, then answer."""
    measured = Measured(folder)
    measured.steps(172, 1)
    print(json.dumps({"first_step_s": time.perf_counter() - began}), flush=True)
    for line in sys.stdin:
        question, arguments = json.loads(line).popitem()
        print(json.dumps(getattr(measured, question)(**arguments)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
