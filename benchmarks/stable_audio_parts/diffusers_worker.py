"""The diffusion transformer of Stable Audio 3 small in diffusers: answers lines of JSON with the seconds of each step.

python -m stable_audio_parts.diffusers_worker float32|bfloat16 THREADS
"""

from __future__ import annotations

import json
import sys
import time

CONTEXT = 257


def main(dtype: str, threads: int) -> None:
    """Build the model with random weights, say so, then time what each line asks for: {"latents": n, "steps": n}."""
    import torch
    from diffusers.models.transformers.transformer_stable_audio3 import StableAudio3DiTModel

    torch.set_num_threads(threads)
    kind = getattr(torch, dtype)
    model = StableAudio3DiTModel(embed_dim=1024, depth=20, num_heads=16, use_differential_attention=False).to(kind)
    context, seconds = torch.randn(1, CONTEXT, 768, dtype=kind), torch.randn(1, 768, dtype=kind)

    def steps(latents: int, steps: int) -> list[float]:
        x, local = torch.randn(1, 256, latents, dtype=kind), torch.zeros(1, 257, latents, dtype=kind)
        times = []
        with torch.inference_mode():
            for step in range(steps):
                began = time.perf_counter()
                model(x, torch.tensor([1 - step / steps]), context, seconds, local_add_cond=local)
                times.append(time.perf_counter() - began)
        return times

    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"steps_s": steps(**json.loads(line))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
