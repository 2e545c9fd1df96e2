"""How fast Stable Audio 3 small runs here: our engine and diffusers in turn, at the real size with random weights.

python benchmarks/stable_audio.py [--folder FOLDER] [--rounds N] [--quantize KIND] [--no-peers]

The folder keeps the checkpoint (3.4 GB) and the models for the next run. After a change of the conversion, remove them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

from hardware import print_hardware, print_result
from stable_audio_parts.checkpoint import write_checkpoint
from tunesmith.neural.sessions import usable_cores
from worker import Worker

LATENTS = {10: 172, 30: 387, 120: 1292}
"""Latents that the transformer writes for pieces of so many seconds, with their headroom."""
STEPS = {"ours": 8, "diffusers_fp32": 2, "diffusers_bf16": 3}
DECODED_LATENTS, LATENT_SECONDS = 68, 4096 / 44_100
ROWS = 4
CONVERSION = "conversion.json"


def converted(folder: Path, worker_module: str, *arguments: str) -> dict[str, float]:
    """Make a model as ``tunesmith pull`` does, in this worker, unless it is there already; return what that took."""
    found = folder / CONVERSION
    if not found.exists():
        with Worker(f"stable_audio_parts.{worker_module}", *arguments) as worker:
            said, peak = worker.first, worker.resident_mb
        check = said["self_check"] or {}
        result = {"convert_seconds": said["seconds"], "convert_peak_mb": peak}
        result |= {name: check[name] for name in ("error", "bfloat16_error") if name in check}
        print(f"{worker_module}: {said}, peak {peak:.0f} MB")
        found.write_text(json.dumps(result), encoding="utf-8")
    return dict(json.loads(found.read_text(encoding="utf-8")))


def measure_clips(model: Path, rounds: int) -> dict[str, float]:
    """Time whole pieces, each length in a process of its own, whose first piece warms it up."""
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "clip.wav"))
        for seconds in LATENTS:
            with Worker("stable_audio_parts.engine_worker", str(model)) as worker:
                runs = rounds if seconds < 120 else 2
                times = [worker.ask(clip={"seconds": seconds, "path": path})["seconds"] for _ in range(runs + 1)]
                result[f"seconds_for_{seconds}s"] = median(times[1:])
                result[f"resident_mb_{seconds}s"] = worker.resident_mb
                print(f"{seconds} s: {', '.join(f'{one:.2f}' for one in times)} s, {worker.resident_mb:.0f} MB")
                if seconds == 30:
                    streams = [worker.ask(stream={"seconds": 30}) for _ in range(rounds)]
                    result["first_audio_s_30s"] = median(one["first_audio_s"] for one in streams)
    return result


def measure_open_small(folder: Path, rounds: int) -> dict[str, float]:
    """Time the longest piece of Stable Audio Open Small, eleven seconds."""
    converted(folder, "open_small_worker", str(folder))
    with tempfile.TemporaryDirectory() as clips, Worker("stable_audio_parts.engine_worker", str(folder)) as worker:
        asked = {"seconds": 11, "path": str(Path(clips, "clip.wav"))}
        times = [worker.ask(clip=asked)["seconds"] for _ in range(rounds + 1)]
        print(f"Open Small, 11 s: {', '.join(f'{one:.2f}' for one in times)} s, {worker.resident_mb:.0f} MB")
    return {"open_small_seconds_for_11s": median(times[1:])}


def measure_parts(model: Path, rounds: int) -> dict[str, float]:
    """Time the cold start, the decoder, a batch, and a step against the floor of its arithmetic."""
    starts = []
    for _ in range(rounds):
        with Worker("stable_audio_parts.engine_worker", str(model)) as worker:
            starts.append(worker.since_start)
    with Worker("stable_audio_parts.engine_worker", str(model)) as worker:
        decodes = [worker.ask(decode={"latents": DECODED_LATENTS})["seconds"] for _ in range(rounds + 1)][1:]
        one, many = [], []
        for _ in range(rounds):
            one += worker.ask(steps={"latents": LATENTS[10], "steps": 4})["steps_s"]
            many += worker.ask(steps={"latents": LATENTS[10], "steps": 2, "rows": ROWS})["steps_s"]
        floor = worker.ask(floor={"latents": LATENTS[30]})["seconds"]
        step = median(worker.ask(steps={"latents": LATENTS[30], "steps": 2 * rounds})["steps_s"])
    print(f"a step of 30 s: {step:.3f} s, its products with weights by themselves {floor:.3f} s")
    return {
        "cold_start_s": median(starts),
        "step_times_floor": step / floor,
        "decode_rtf": median(decodes) / (DECODED_LATENTS * LATENT_SECONDS),
        "batch_4_gain": ROWS * median(one) / median(many),
    }


def compare_steps(model: Path, rounds: int, seconds: int = 30) -> dict[str, float]:
    """Time a step of our transformer and of diffusers' in float32 and bfloat16, in turn."""
    threads = str(usable_cores())
    workers = {
        "ours": Worker("stable_audio_parts.engine_worker", str(model)),
        "diffusers_fp32": Worker("stable_audio_parts.diffusers_worker", "float32", threads),
        "diffusers_bf16": Worker("stable_audio_parts.diffusers_worker", "bfloat16", threads),
    }
    times: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            asked = {"latents": LATENTS[seconds], "steps": STEPS[name]}
            # The first step of a turn finds the caches of the one before.
            times[name] += worker.ask(**({"steps": asked} if name == "ours" else asked))["steps_s"][1:]
    for worker in workers.values():
        worker.close()
    medians = {name: median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name}: median {value:.2f} s a step of {LATENTS[seconds]} latents")
    return {
        "step_s_30s": medians["ours"],
        "dit_step_speedup_over_torch_fp32": medians["diffusers_fp32"] / medians["ours"],
        "dit_step_speedup_over_torch_bf16": medians["diffusers_bf16"] / medians["ours"],
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "tunesmith-stable-audio"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quantize", default="int8")
    parser.add_argument("--no-peers", action="store_true", help="leave diffusers out")
    options = parser.parse_args()
    print_hardware("onnxruntime", "torch")
    checkpoint = write_checkpoint(options.folder / "checkpoint")
    model = options.folder / options.quantize
    result = converted(model, "conversion_worker", str(checkpoint), str(model), options.quantize)
    result |= measure_clips(model, options.rounds) | measure_parts(model, options.rounds)
    result |= measure_open_small(options.folder / "open-small", options.rounds)
    if not options.no_peers:
        result |= compare_steps(model, options.rounds)
    print_result(result)


if __name__ == "__main__":
    main()
