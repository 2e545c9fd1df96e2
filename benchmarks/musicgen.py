"""How fast MusicGen runs here: our engine and transformers in turn, at the real size with random weights.

python benchmarks/musicgen.py [--folder FOLDER] [--rounds N] [--prototype FILE]

The folder keeps the checkpoint (2.4 GB) and the model made of it for the next run. A prototype is a file with a bare
decoder loop (``build``, ``OrtLM``, ``generate``) to compare our step with.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np

from hardware import print_hardware, print_result
from musicgen_parts.checkpoint import make_checkpoint
from tunesmith.neural.sessions import usable_cores
from worker import Worker

STEPS = {"ours": 100, "prototype": 100, "transformers_fp32": 24, "transformers_bf16": 48}  # a turn
CLIP_SECONDS = 10
LONG_SECONDS = 30
BATCH = 8


def memory_bandwidth() -> float:
    """Return what all cores together read from memory, GB (10⁹ bytes) a second: the best of five."""
    cores = usable_cores()
    parts = [np.ones(50_000_000, np.float32) for _ in range(cores)]
    best = 0.0
    for _ in range(5):
        threads = [threading.Thread(target=part.sum) for part in parts]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best = max(best, sum(part.nbytes for part in parts) / (time.perf_counter() - began) / 1e9)
    return best


def installed(checkpoint: Path, folder: Path) -> Path:
    """Convert the checkpoint as ``tunesmith pull`` does, unless it is there already, and say what that took."""
    if not (folder / "architecture.json").exists():
        began = time.perf_counter()
        with Worker("musicgen_parts.conversion_worker", str(checkpoint), str(folder)) as worker:
            print(f"conversion: {time.perf_counter() - began:.0f} s, peak {worker.resident_mb:.0f} MB")
    return folder


def in_turn(workers: dict[str, Worker], rounds: int) -> dict[str, float]:
    """Return each worker's median milliseconds a step, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            question = {"steps": {"steps": STEPS[name]}} if name == "ours" else {"steps": STEPS[name]}
            times[name] += worker.ask(**question)["steps_ms"][3:]
    for name, values in times.items():
        print(f"{name}: median {median(values):.1f} ms a step, 10th percentile {np.percentile(values, 10):.1f}")
    return {name: median(values) for name, values in times.items()}


def compare_steps(checkpoint: Path, model: Path, prototype: Path | None, rounds: int) -> dict[str, float]:
    """Time a guided step of every engine in turn."""
    threads = str(usable_cores())
    peers = {
        "transformers_fp32": ("transformers_worker", str(checkpoint), "float32", threads),
        "transformers_bf16": ("transformers_worker", str(checkpoint), "bfloat16", threads),
    }
    workers = {"ours": Worker("musicgen_parts.engine_worker", str(model), "2")}
    if prototype:
        graph = model.parent / "prototype.onnx"
        peers["prototype"] = ("prototype_worker", str(prototype.resolve()), str(checkpoint), str(graph))
    workers |= {name: Worker(f"musicgen_parts.{module}", *rest) for name, (module, *rest) in peers.items()}
    steps = in_turn(workers, rounds)
    for worker in workers.values():
        worker.close()
    result = {f"{name}_ms_per_step" if name != "ours" else "ms_per_step": value for name, value in steps.items()}
    if prototype:
        result["ms_per_step_over_prototype"] = steps["ours"] / steps["prototype"]
    result["speedup_over_fp32"] = steps["transformers_fp32"] / steps["ours"]
    result["speedup_over_bf16"] = steps["transformers_bf16"] / steps["ours"]
    return result


def measure_ours(model: Path, rounds: int) -> dict[str, float]:
    """Time whole clips, streaming, batches and start-up."""
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "clip.wav"))
        starts = []
        for _ in range(rounds):
            with Worker("musicgen_parts.engine_worker", str(model), "2") as worker:
                starts.append(worker.since_start)
        result["cold_start_s"] = median(starts)
        with Worker("musicgen_parts.engine_worker", str(model), "2") as worker:
            clips = [worker.ask(clip={"seconds": CLIP_SECONDS, "path": path}) for _ in range(rounds)]
            result["real_time_factor_10s_clip"] = median(clip["seconds"] for clip in clips) / CLIP_SECONDS
            result["codec_seconds_10s_clip"] = median(clip["codec_seconds"] for clip in clips)
            streams = [worker.ask(stream={"seconds": 5})["first_audio_s"] for _ in range(rounds)]
            result["first_audio_s_streaming"] = median(streams)
        with Worker("musicgen_parts.engine_worker", str(model), "2") as worker:
            worker.ask(clip={"seconds": LONG_SECONDS, "path": path})
            result["resident_mb"] = worker.resident_mb
            late = worker.ask(steps={"steps": 50 * LONG_SECONDS})["steps_ms"][-50:]
            result["ms_per_step_at_1500_frames"] = median(late)
    return result | measure_batch(model)


def measure_batch(model: Path) -> dict[str, float]:
    """Return the audio seconds a second of eight requests at once over those of one."""
    with Worker("musicgen_parts.engine_worker", str(model), str(2 * BATCH)) as worker:
        one = worker.ask(batch={"requests": 1, "seconds": CLIP_SECONDS})["audio_seconds_per_second"]
        many = worker.ask(batch={"requests": BATCH, "seconds": CLIP_SECONDS})["audio_seconds_per_second"]
        print(f"batch: {one:.2f} audio seconds a second for one request, {many:.2f} for {BATCH}")
        return {"batch_throughput_x": many / one, "batch_audio_seconds_per_second": many}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "tunesmith-benchmark"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prototype", type=Path)
    options = parser.parse_args()
    print_hardware("onnxruntime", "torch", "transformers")
    checkpoint = make_checkpoint(options.folder / "checkpoint")
    model = installed(checkpoint, options.folder / "model")
    bandwidth = memory_bandwidth()
    result = compare_steps(checkpoint, model, options.prototype, options.rounds)
    result |= measure_ours(model, options.rounds)
    read = (model / "decoder.onnx.data").stat().st_size
    result["memory_bandwidth_gb_s"] = bandwidth
    result["memory_bandwidth_share"] = read / (result["ms_per_step"] / 1e3) / 1e9 / bandwidth
    print_result(result)


if __name__ == "__main__":
    main()
