"""The GPU benchmark runs, as far as a machine without one can show."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lazy_modules import LazyModule

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "musicgen_gpu.py"


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the benchmark in this process, which has torch and transformers already."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", [str(BENCHMARK), *arguments])
    runpy.run_path(str(BENCHMARK), run_name="__main__")


def test_the_gpu_benchmark_runs_tiny_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--device", "cpu", "--tiny")
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["size"] == "tiny"
    assert result["ours_float32_one_ms_per_step"] > 0


@pytest.mark.parametrize(("arguments", "reason"), [([], "no CUDA GPU"), (["--device", "cpu"], "for a GPU")])
def test_the_gpu_benchmark_refuses_without_a_gpu(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    with pytest.raises(SystemExit, match=reason):
        run(monkeypatch, *arguments)
