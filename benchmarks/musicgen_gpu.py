"""MusicGen on one GPU: this package's torch runner beside transformers' generate, interleaved, random weights.

python benchmarks/musicgen_gpu.py [--size small|medium|large] [--repeats 5]
python benchmarks/musicgen_gpu.py --device cpu --tiny     (proves that it runs; its numbers mean nothing)

Timed from the first step's logits to the last's on both sides, so neither text encoder nor codec is in it. What
differs: ours takes the best code on the host, theirs samples from the best 250 on the device. Speed does not depend on
the weights' values. transformers' precision is that of the whole model, ours that of the decoder.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
import torch

from hardware import print_hardware, print_result
from tunesmith.musicgen.architecture import Architecture, CodecShape, TransformerShape
from tunesmith.musicgen.checkpoint import Checkpoint
from tunesmith.musicgen.torch.torch_runner import TorchRunner
from tunesmith.neural.t5 import T5Shape

SIZES = {"tiny": (128, 2, 2), "small": (1024, 24, 16), "medium": (1536, 48, 24), "large": (2048, 48, 32)}
TOKENS = 12
CLIP_FRAMES = 500  # 10 s


@dataclass(frozen=True)
class Job:
    """What is measured: sequences at once, and how many steps."""

    batch: int
    steps: int


def make_model(size: str) -> tuple[Any, Architecture]:
    """Return transformers' model with random weights, in float32 on the CPU, and its sizes."""
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )

    hidden, layers, heads = SIZES[size]
    text_layers = 2 if size == "tiny" else 12
    filters = 4 if size == "tiny" else 64
    decoder = MusicgenDecoderConfig(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, ffn_dim=4 * hidden, num_codebooks=4
    )
    text = T5Config(d_model=768, d_kv=64, d_ff=3072, num_layers=text_layers, num_heads=12, is_encoder_decoder=False)
    codec = EncodecConfig(
        sampling_rate=32_000, target_bandwidths=[2.2], upsampling_ratios=[8, 5, 4, 4], num_filters=filters,
        hidden_size=128, codebook_dim=128, codebook_size=2048, use_causal_conv=False, use_conv_shortcut=False,
    )  # fmt: skip
    torch.manual_seed(0)
    model = MusicgenForConditionalGeneration(MusicgenConfig(text_encoder=text, audio_encoder=codec, decoder=decoder))
    architecture = Architecture(
        TransformerShape(hidden, layers, heads, 4 * hidden, 4),
        T5Shape(768, text_layers, 12, 64, 3072, text.vocab_size),
        CodecShape(32_000, (8, 5, 4, 4), filters, 128, 4, 2048),
        delays=(0, 1, 2, 3),
    )
    return model.eval(), architecture


def run_ours(runner: TorchRunner, job: Job) -> float:
    """Return the seconds from first to last step, guided, two rows a sequence; codes are chosen on the host."""
    states = runner.encode_text(range(10, 10 + TOKENS))
    for sequence in range(job.batch):
        runner.open_row(2 * sequence, states, job.steps)
        runner.open_row(2 * sequence + 1, None, job.steps)
    codes = np.full((2 * job.batch, 4), 2048, np.int64)
    advancing = np.ones(2 * job.batch, np.bool_)
    began = 0.0
    for number in range(job.steps):
        logits = runner.step(codes, advancing)
        if number + 1 == job.steps:
            ended = time.perf_counter()
        began = began or time.perf_counter()
        guided = logits[1::2] + 3.0 * (logits[::2] - logits[1::2])
        codes = np.repeat(guided.argmax(-1), 2, axis=0)
    return ended - began


class Clock:
    """A logits processor that notes when the first and the last step's logits are there."""

    def __init__(self, steps: int, device: str) -> None:
        self.steps, self.device, self.calls = steps, device, 0
        self.began = self.ended = 0.0

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002  the interface's
        self.calls += 1
        if self.calls in (1, self.steps):
            synchronize(self.device)
            self.began, self.ended = self.began or time.perf_counter(), time.perf_counter()
        return scores


def run_theirs(model: Any, job: Job, device: str) -> float:
    """Return the seconds from the first to the last step within generate, as its users call it: no codec in it."""
    ids = torch.arange(10, 10 + TOKENS, device=device).repeat(job.batch, 1)
    clock = Clock(job.steps, device)
    with torch.inference_mode():
        model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=250, guidance_scale=3.0,
            min_new_tokens=job.steps, max_new_tokens=job.steps, logits_processor=[clock],
        )  # fmt: skip
    if clock.calls != job.steps:
        raise SystemExit(f"transformers took {clock.calls} steps, not the {job.steps} asked for")
    return clock.ended - clock.began


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def measure(size: str, device: str, repeats: int, jobs: dict[str, Job]) -> dict[str, Any]:
    """Return medians by engine, precision and job; engines take turns within each repeat."""
    model, architecture = make_model(size)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    checkpoint = Checkpoint(architecture, weights, Path())
    result: dict[str, Any] = {}
    rows = 2 * max(job.batch for job in jobs.values())
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        before = allocated(device)
        runner = TorchRunner(checkpoint, device, dtype=dtype, num_rows=rows)  # type: ignore[arg-type]
        result[f"ours_{name}_weights_mb"] = allocated(device) - before
        before = allocated(device)
        peer, _ = make_model(size)
        peer = peer.to(device, dtype)
        result[f"transformers_{name}_weights_mb"] = allocated(device) - before
        for job_name, job in jobs.items():
            engines = {"ours": lambda j=job, r=runner: run_ours(r, j)}
            engines["transformers"] = lambda j=job, p=peer: run_theirs(p, j, device)
            times: dict[str, list[float]] = {engine: [] for engine in engines}
            for turn in range(repeats + 1):
                for engine, run in engines.items():
                    seconds = run()
                    if turn:  # the first warms up
                        times[engine].append(seconds)
            for engine, seconds_of in times.items():
                label = f"{engine}_{name}_{job_name}"
                result[f"{label}_seconds"] = median(seconds_of)
                result[f"{label}_ms_per_step"] = 1e3 * median(seconds_of) / (job.steps - 1)
                print(f"{label:42} {result[f'{label}_ms_per_step']:8.2f} ms a step, {median(seconds_of):7.2f} s")
        del runner, peer
    return result


def allocated(device: str) -> float:
    """Return the MB allocated on the GPU; 0 without one."""
    return torch.cuda.memory_allocated() / 2**20 if device == "cuda" else 0.0


def print_gpu() -> None:
    """Name the GPU and its driver."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def begin(device: str, library: str, *, is_tiny: bool) -> None:
    """Name hardware and libraries; raise SystemExit where there is nothing to measure."""
    if device == "cpu" and not is_tiny:
        raise SystemExit("this benchmark is for a GPU; --device cpu is only for --tiny, which proves that it runs")
    if device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("there is no CUDA GPU here: nothing was measured (--device cpu --tiny proves that it runs)")
    warnings.filterwarnings("ignore")
    print_hardware()
    if device == "cuda":
        print_gpu()
    print(f"torch {torch.__version__}, CUDA {torch.version.cuda}, {library} {version(library)}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=["small", "medium", "large"], default="small")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny model and few steps, to prove that it runs")
    arguments = parser.parse_args()
    begin(arguments.device, "transformers", is_tiny=arguments.tiny)
    steps = 12 if arguments.tiny else CLIP_FRAMES + 3
    jobs = {"one": Job(1, steps), "eight": Job(2 if arguments.tiny else 8, steps)}
    size = "tiny" if arguments.tiny else arguments.size
    result = measure(size, arguments.device, 1 if arguments.tiny else arguments.repeats, jobs)
    if arguments.device == "cuda":
        result["gpu"], result["peak_both_mb"] = torch.cuda.get_device_name(), torch.cuda.max_memory_allocated() / 2**20
    print_result({"benchmark": "musicgen_gpu", "size": size, **result})


if __name__ == "__main__":
    main()
