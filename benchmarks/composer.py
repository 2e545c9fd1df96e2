"""How fast the composer is and how much memory it takes. One core: thread pools are held to one thread.

python benchmarks/composer.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

sys.path.insert(0, str(Path(__file__).parent))
import psutil

from hardware import print_hardware, print_result

FULL_BAND = "epic orchestral battle theme with brass and percussion"
PROMPTS = (FULL_BAND, "lofi hip hop with rain sounds, 90 bpm", "funk with horns", "house, 124 bpm")
LENGTHS = (60, 600, 1800)  # seconds of audio, to see that time is linear and memory flat
CHILD = """
import sys, time
import tunesmith
prompt, seconds, repeats, path = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
for seed in range(repeats):
    began = time.perf_counter()
    composition = tunesmith.compose(prompt, duration=seconds, seed=seed + 1)
    composition.mix().save(path)
    parts = len(composition.score.parts)
    print(time.perf_counter() - began, parts, sum(len(part.notes) for part in composition.score.parts), flush=True)
"""


def one_core() -> None:
    """Keep this process and its children on one core where the system allows it."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):
        process.cpu_affinity(process.cpu_affinity()[:1])


def run(prompt: str, seconds: float, repeats: int) -> tuple[list[float], int, int, float]:
    """Return the times of composing to a file, parts, notes, and the peak resident MB, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", CHILD, prompt, str(seconds), str(repeats), str(Path(folder, "out.wav"))]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peak, watched = 0.0, psutil.Process(child.pid)
        while child.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss / 2**20)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)
        output, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"composing {prompt!r} failed with exit code {child.returncode}")
    rows = [line.split() for line in output.splitlines()]
    return [float(row[0]) for row in rows], int(rows[0][1]), int(rows[0][2]), peak


def cold_start(repeats: int = 5) -> float:
    """Return the median seconds from process start to a finished 10 s WAV, by the command line."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(repeats):
            began = time.perf_counter()
            command = [sys.executable, "-m", "tunesmith", "generate", PROMPTS[1], "--duration", "10", "--seed", "7"]
            subprocess.run([*command, "-o", str(Path(folder, f"{number}.wav")), "--quiet"], check=True)
            times.append(time.perf_counter() - began)
    return median(times)


def main() -> None:
    """Run the benchmark."""
    print_hardware()
    one_core()
    result: dict[str, float] = {"cold_start_s": cold_start()}
    times, parts, notes, peak = run(FULL_BAND, 60, 4)
    print(f"60 s of {FULL_BAND!r}: {parts} parts, {notes} notes, {', '.join(f'{t:.2f}' for t in times)} s")
    result |= {"real_time_multiple": 60 / median(times[1:]), "full_band_parts": parts, "resident_mb": peak}
    result["real_time_multiple_first"] = 60 / times[0]
    for prompt in PROMPTS[1:]:
        times, parts, notes, peak = run(prompt, 60, 3)
        print(
            f"60 s of {prompt!r}: {parts} parts, {notes} notes, {60 / median(times[1:]):.0f} × real time, {peak:.0f} MB"
        )
    times, *_ = run(PROMPTS[1], 10, 5)
    result["warm_10s_clip_s"] = median(times[1:])
    for seconds in LENGTHS:
        times, _, _, peak = run(PROMPTS[1], seconds, 1)
        print(f"{seconds} s of audio: {times[0]:.1f} s, {seconds / times[0]:.0f} × real time, peak {peak:.0f} MB")
        result |= {f"seconds_for_{seconds}_s": times[0], f"resident_mb_for_{seconds}_s": peak}
    print_result(result)


if __name__ == "__main__":
    main()
