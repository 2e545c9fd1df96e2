"""A bare decoder loop to compare with: a file that has ``build``, ``OrtLM`` and ``generate``, timed step by step.

python -m musicgen_parts.prototype_worker PROTOTYPE.py CHECKPOINT GRAPH
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path


def main(prototype: Path, checkpoint: Path, graph: Path) -> None:
    """Build the graph unless it is there, then answer {"steps": n} with each step's milliseconds."""
    spec = importlib.util.spec_from_file_location("prototype", prototype)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not graph.exists():
        module.build(str(checkpoint / "model.safetensors"), "nb8", 128, out=str(graph))
    model = module.OrtLM(str(graph), T=512, S=12)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        times: list[float] = []
        module.generate(model, json.loads(line)["steps"], 1, times=times)
        print(json.dumps({"steps_ms": times}), flush=True)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
