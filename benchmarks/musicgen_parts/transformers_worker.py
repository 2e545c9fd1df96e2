"""transformers' own generate(), as its users call it: answers lines of JSON with the milliseconds of each step.

python -m musicgen_parts.transformers_worker CHECKPOINT float32|bfloat16 THREADS
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

PROMPT = "lofi hip hop with rain sounds, 90 bpm"


def main(folder: Path, dtype: str, threads: int) -> None:
    """Load the model, say so, then time what each line asks for: {"steps": n} or {"seconds": s}."""
    warnings.filterwarnings("ignore")
    import torch
    from tokenizers import Tokenizer
    from transformers import LogitsProcessor, MusicgenForConditionalGeneration

    torch.set_num_threads(threads)
    model = MusicgenForConditionalGeneration.from_pretrained(folder, dtype=getattr(torch, dtype))
    ids = torch.tensor([Tokenizer.from_file(str(folder / "tokenizer.json")).encode(PROMPT).ids])

    class Clock(LogitsProcessor):  # type: ignore[misc]  # untyped base
        """Notes when each step's logits are there."""

        def __init__(self) -> None:
            self.times: list[float] = []

        def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002  the interface's
            self.times.append(time.perf_counter())
            return scores

    def generate(steps: int) -> dict[str, Any]:
        clock, began = Clock(), time.perf_counter()
        with torch.inference_mode():
            model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=250, guidance_scale=3.0,
                min_new_tokens=steps, max_new_tokens=steps, logits_processor=[clock],
            )  # fmt: skip
        pairs = zip(clock.times, clock.times[1:], strict=False)
        return {"steps_ms": [1e3 * (b - a) for a, b in pairs], "seconds": time.perf_counter() - began}

    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(generate(json.loads(line)["steps"])), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
