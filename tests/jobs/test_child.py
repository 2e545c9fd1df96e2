"""What a runner's process tells of what it made."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from tunesmith.audio import Audio
from tunesmith.generator import CancelCheck, ProgressCallback
from tunesmith.jobs.runners.protocol import decode
from tunesmith.jobs.runners.worker_main import Worker, _TaskRun
from tunesmith.request import GenerationRequest


class Hot:
    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        del request, progress, cancelled
        return Audio(np.array([[1.5, 0.2, -2.0]], np.float32), 8_000, {"warnings": ["one of its own"]})


def test_clipped_samples_are_among_the_warnings_of_a_piece(tmp_path: Path) -> None:
    output = io.BytesIO()
    child = Worker(output)
    child._generator = Hot()
    work = child._work["a"] = _TaskRun(child, "a")
    child._make({"task": "a", "request": {"prompt": "x"}, "path": str(tmp_path / "a.wav")}, work)
    made = decode(output.getvalue().splitlines()[-1])
    own, clipped = made["metadata"]["warnings"]
    assert own == "one of its own"
    assert clipped.startswith("2 samples are above full scale and clipped")
    assert str(tmp_path) not in clipped
