"""Sound before the piece is finished: how soon it comes, and how far the stream is from the file.

The times are warm, in a process that has made music before; the best of a few, since other work can only delay them.
"""

from __future__ import annotations

import time

import numpy as np

import tunesmith
from tunesmith.audio.buffer import Samples

PROMPTS = (
    "lofi hip hop",
    "calm piano",
    "epic orchestral trailer",
    "acoustic folk with guitar",
    "deep house",
    "jazz trio",
)
SECONDS = 300
TRIES = 3
SEED = 11


def first_audio_seconds(prompt: str, seed: int) -> float:
    """Return the seconds from the request to the first block."""
    began = time.perf_counter()
    with tunesmith.stream(prompt, seed=seed, duration=SECONDS) as stream:
        next(iter(stream))
        return time.perf_counter() - began


def difference_db(prompt: str, seed: int) -> float:
    """Return the energy of the difference between stream and file, in dB relative to the file."""
    with tunesmith.stream(prompt, seed=seed, duration=SECONDS) as stream:
        blocks = list(stream)
        # Both begin with the same sample, so they are aligned.
        exact = stream.audio.samples
    wrong = _energy(np.concatenate(blocks, axis=1) - exact)
    return float(10 * np.log10(max(wrong, 1e-12) / _energy(exact)))


def measure() -> dict[str, float]:
    """Return the two numbers, each the worst over the prompts."""
    # Sound banks, reverbs and vocabularies are loaded once.
    tunesmith.generate(PROMPTS[0], seed=SEED, duration=10)
    differences = {prompt: difference_db(prompt, SEED) for prompt in PROMPTS}
    for prompt, value in differences.items():
        print(f"  {prompt:40} {value:8.1f} dB")
    first = [min(first_audio_seconds(prompt, SEED + number) for number in range(TRIES)) for prompt in PROMPTS]
    return {
        "first_audio_s_300s_piece": round(max(first), 3),
        "stream_equals_file_db": round(max(differences.values()), 1),
    }


def _energy(samples: Samples) -> float:
    return float(np.sum(np.square(samples, dtype=np.float64)))


if __name__ == "__main__":
    print(measure())
