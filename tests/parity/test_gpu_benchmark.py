"""The GPU benchmarks run, as far as a machine without one can show."""

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

NAMES = ("musicgen_gpu", "stable_audio_gpu")
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> None:
    """Run the benchmark in this process, which has torch and transformers already."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = str(BENCHMARKS / f"{name}.py")
    monkeypatch.setattr(sys, "argv", [path, *arguments])
    runpy.run_path(path, run_name="__main__")


@pytest.mark.parametrize("name", NAMES)
def test_the_gpu_benchmark_runs_tiny_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run(monkeypatch, name, "--device", "cpu", "--tiny")
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["benchmark"] == name
    assert result["ours_float32_one_ms_per_step"] > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("arguments", "reason"), [([], "no CUDA GPU"), (["--device", "cpu"], "for a GPU")])
def test_the_gpu_benchmark_refuses_without_a_gpu(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str, name: str
) -> None:
    with pytest.raises(SystemExit, match=reason):
        run(monkeypatch, name, *arguments)
