"""The GPU benchmark runs, as far as a machine without one can show."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "musicgen_gpu.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(BENCHMARK), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_gpu_benchmark_runs_tiny_on_the_cpu() -> None:
    result = json.loads(run("--device", "cpu", "--tiny").stdout.splitlines()[-1])
    assert result["size"] == "tiny"
    assert result["ours_float32_one_ms_per_step"] > 0


@pytest.mark.parametrize(("arguments", "reason"), [([], "no CUDA GPU"), (["--device", "cpu"], "for a GPU")])
def test_the_gpu_benchmark_refuses_without_a_gpu(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", [str(BENCHMARK), *arguments])
    with pytest.raises(SystemExit, match=reason):
        runpy.run_path(str(BENCHMARK), run_name="__main__")
