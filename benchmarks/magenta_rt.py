"""How fast Magenta RealTime 2 small runs here, at the real size with random weights that are made on the spot.

python benchmarks/magenta_rt.py [--folder FOLDER] [--rounds N] [--minutes N]

The folder keeps the model (0.7 GB) for the next run. Random weights take as long as trained ones; what they sound like
says nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

from hardware import print_hardware, print_result
from magenta_rt_parts.random_model import write_model
from worker import Worker

SECONDS = 10.0
STREAMS = 8
CHANGES = 6


def measure(model: Path, rounds: int, minutes: float) -> dict[str, float]:
    """Ask the engine in processes of their own: one row, eight rows, and an endless stream."""
    result: dict[str, float] = {}
    with Worker("magenta_rt_parts.engine_worker", str(model), "1") as worker:
        pieces = [worker.ask(piece={"seconds": SECONDS, "seed": seed}) for seed in range(rounds + 1)]
        for piece in pieces:
            spent = f"{piece['seconds']:.2f} s, {piece['cpu_s']:.2f} CPU-s, first {piece['first_sound_s']:.2f} s"
            print(f"{SECONDS:g} s: {spent}")
        result["x_real_time_one_row"] = SECONDS / median(piece["seconds"] for piece in pieces[1:])
        result["first_sound_s"] = median(piece["first_sound_s"] for piece in pieces[1:])
        result["cpu_s_per_s_one_row"] = median(piece["cpu_s"] for piece in pieces[1:]) / SECONDS
        result["resident_mb"] = worker.resident_mb
        steered = worker.ask(steering={"changes": CHANGES})
        print(f"steering: {steered}")
        result["steering_latency_s"] = median(steered["latencies_s"])
        result["late_blocks"] = steered["late_blocks"] / steered["blocks"]
    with Worker("magenta_rt_parts.engine_worker", str(model), str(STREAMS)) as worker:
        together = worker.ask(streams={"count": STREAMS, "seconds": SECONDS})
        print(f"{STREAMS} streams: {together}")
        if not together["same_bytes"]:
            raise SystemExit("a stream has other bytes in a batch than alone")
        result["cpu_s_per_s_8_streams"] = together["cpu_s_per_s"]
    if minutes:
        with Worker("magenta_rt_parts.engine_worker", str(model), "1") as worker:
            result["memory_growth_30min_mb"] = worker.ask(endless={"seconds": 60 * minutes})["growth_mb"]
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the model is kept; without it, it is made and removed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=30, help="the length of the endless stream, 0 to leave it out")
    chosen = parser.parse_args()
    print_hardware("onnxruntime")
    with tempfile.TemporaryDirectory() as made:
        model = write_model(chosen.folder or Path(made))
        result = measure(model, chosen.rounds, chosen.minutes)
    print_result(result)


if __name__ == "__main__":
    main()
