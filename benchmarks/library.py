"""The prompt log at 100,000 tracks, a batch against single runs, and joining long sounds; the last line is JSON.

Runs for some minutes: ``python benchmarks/library.py``, or parts of it: ``… log batch joining``.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hardware import print_hardware, print_result
from tunesmith.audio import Audio, Spool
from tunesmith.audio.find_loop import seamless
from tunesmith.audio.reader import read_audio
from tunesmith.audio.stitch import stitch
from tunesmith.audio.writer import write_audio
from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tracks import NewTrack, TrackFilter, Tracks

TRACKS, AT_ONCE, SEARCHES = 100_000, 1_000, 40
CLIPS, SINGLES, CLIP_SECONDS, JOBS = 100, 10, 10, 2
LONG_SECONDS, RATE = 600, 44_100
WORDS = ("calm", "piano", "rain", "techno", "bright", "dark", "guitar", "lofi", "epic", "choir", "slow", "drums")


def timed(act: Callable[[], object]) -> float:
    """Return the seconds an act takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def track_of(random: np.random.Generator, number: int) -> NewTrack:
    """Return a track with a prompt of some words and its number."""
    prompt = f"{' '.join(random.choice(WORDS, 4))} scene {number}"
    request = {"prompt": prompt, "seed": number, "model": "composer"}
    return NewTrack(request, "composer", "composer", "cli", 30.0, metadata={"title": prompt, "settings": {}})


def measure_log(folder: Path) -> dict[str, float]:
    """Fill a prompt log, then add to it and search it."""
    random = np.random.default_rng(1)
    database = open_database(Settings(data_dir=folder))
    log = Tracks(database)
    filling = timed(lambda: [
        log.add(*(track_of(random, start + number) for number in range(AT_ONCE)))
        for start in range(0, TRACKS, AT_ONCE)
    ])  # fmt: skip
    adding = [timed(lambda: log.add(track_of(random, TRACKS))) for _ in range(SEARCHES)]
    searches = {
        "common": lambda: log.page(TrackFilter(search="piano rain")),
        "rare": lambda: log.page(TrackFilter(search=f"scene {random.integers(TRACKS)}")),
        "none": lambda: log.page(TrackFilter(search="zither")),
        "starred": lambda: log.page(TrackFilter(search="calm", starred=True)),
    }
    found = {name: [timed(act) * 1e3 for _ in range(SEARCHES)] for name, act in searches.items()}
    database.close()
    for name, times in found.items():
        print(f"search {name}: median {statistics.median(times):.1f} ms, slowest {max(times):.1f} ms")
    return {
        "insert_many_per_s": TRACKS / filling, "insert_one_ms": statistics.median(adding) * 1e3,
        **{f"search_{name}_ms": statistics.median(times) for name, times in found.items()},
        "search_slowest_ms": max(map(max, found.values())),
    }  # fmt: skip


def tunesmith(folder: Path, *arguments: str) -> None:
    """Run the command line in a folder, with a prompt log of its own."""
    settings = {**os.environ, "TUNESMITH_DATA_DIR": str(folder / "data")}
    subprocess.run([sys.executable, "-m", "tunesmith", *arguments, "--quiet"], cwd=folder, env=settings, check=True)


def measure_batch(folder: Path) -> dict[str, float]:
    """Make clips as a batch and, one run each, some of the same."""
    prompts = [f"{WORDS[number % len(WORDS)]} music, scene {number}" for number in range(CLIPS)]
    (folder / "prompts.txt").write_text("\n".join(prompts))
    length = ("--duration", str(CLIP_SECONDS))
    tunesmith(folder, "warm up", *length)
    some = prompts[:: CLIPS // SINGLES]

    def singles(chosen: list[str]) -> None:
        for prompt in chosen:
            tunesmith(folder, prompt, *length, "--seed", "1")

    before = timed(lambda: singles(some[::2]))  # half of them before the batch and half after it, as machines drift
    batch = timed(lambda: tunesmith(folder, "batch", "prompts.txt", *length, "--seed", "1", "--jobs", str(JOBS)))
    each = (before + timed(lambda: singles(some[1::2]))) / SINGLES
    print(f"{CLIPS} clips of {CLIP_SECONDS} s: batch {batch:.1f} s with {JOBS} jobs; a run each takes {each:.2f} s")
    return {"batch_s": batch, "single_s": each, "batch_times_faster": each * CLIPS / batch}


def long_sound(seconds: int, tempo_bpm: float) -> Audio:
    """Return a long stereo sound with a beat, bar by bar in the same harmony."""
    random = np.random.default_rng(2)
    at = np.arange(round(60 / tempo_bpm * RATE)) / RATE
    beats = [
        np.exp(-at * 12) * np.sin(2 * np.pi * (60 if beat == 0 else 180) * at) * 0.5
        + 0.1 * np.sin(2 * np.pi * 220 * 2 ** (step / 12) * at)
        for step in (0, 3, 7, 5) for beat in range(4)
    ]  # fmt: skip
    phrase = np.concatenate(beats).astype(np.float32)
    spool = Spool(2)
    for _ in range(round(seconds * RATE / phrase.size)):
        spool.append(np.stack([phrase, phrase]) + random.normal(0, 0.002, (2, phrase.size)).astype(np.float32))
    return Audio.from_spool(spool, RATE)


def measure_joining(folder: Path) -> dict[str, float]:
    """Stitch two sounds of half the length and loop one of the whole."""
    halves = [write_audio(long_sound(LONG_SECONDS // 2, bpm), folder / f"{bpm}.wav") for bpm in (100, 104)]
    whole = write_audio(long_sound(LONG_SECONDS, 100), folder / "whole.wav")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stitching = timed(lambda: write_audio(stitch([read_audio(half) for half in halves])[0], folder / "both.wav"))
    looping = timed(lambda: write_audio(seamless(read_audio(whole))[0], folder / "loop.wav"))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{LONG_SECONDS} s: stitch {stitching:.1f} s, loop {looping:.1f} s, {grown:.0f} MiB more memory")
    return {"stitch_s": stitching, "loop_s": looping, "joining_more_mib": grown}


PARTS = {"log": measure_log, "batch": measure_batch, "joining": measure_joining}


def main(parts: list[str]) -> None:
    """Run the parts named, or all."""
    print_hardware("sqlalchemy")
    result: dict[str, float] = {}
    for name in parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            result |= PARTS[name](Path(folder))
    print_result(result)


if __name__ == "__main__":
    main(sys.argv[1:])
