"""Captured functions: a CUDA graph replays the kernels of a function whose tensors keep their addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tunesmith.neural.torch.device import torch

# Libraries allocate and choose their kernels in the first runs, which a capture must not see.
WARM_UPS = 2
Result = TypeVar("Result")


def captured(run: Callable[[], Result]) -> Callable[[], Result]:
    """Capture ``run`` as a CUDA graph; its result, one tensor or several, keeps its addresses.

    The warm-up runs happen before, on a stream of their own, as CUDA requires; the replay overwrites what they write.
    """
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = run()

    def replay() -> Result:
        graph.replay()
        return result

    return replay
