"""The GPU benchmark runs, as far as a machine without one can show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "musicgen_gpu.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(BENCHMARK), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_gpu_benchmark_runs_tiny_on_the_cpu() -> None:
    result = json.loads(run("--device", "cpu", "--tiny").stdout.splitlines()[-1])
    assert result["size"] == "tiny"
    assert result["ours_float32_one_ms_per_step"] > 0


def test_the_gpu_benchmark_refuses_without_a_gpu() -> None:
    for arguments, reason in (((), "no CUDA GPU"), (("--device", "cpu"), "for a GPU")):
        ended = run(*arguments)
        assert ended.returncode == 1
        assert reason in ended.stderr
