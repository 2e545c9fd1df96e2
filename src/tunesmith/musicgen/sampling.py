"""The sampler of MusicGen: how codes are drawn, and guidance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.errors import InvalidRequest
from tunesmith.neural.sampling import DrawSettings, Logits


@dataclass(frozen=True, slots=True)
class SamplerSettings(DrawSettings):
    """The settings of the sampler; ``guidance_scale`` 1 turns guidance off. Raises InvalidRequest, as DrawSettings."""

    # The default of audiocraft.
    guidance_scale: float = 3.0

    def __post_init__(self) -> None:
        # ``super()`` without arguments does not find a class with slots.
        DrawSettings.__post_init__(self)
        if not 1 <= self.guidance_scale <= 1e3:
            raise InvalidRequest("guidance_scale", f"must be at least 1, got {self.guidance_scale!r}")


def guide(conditional: Logits, unconditional: Logits, guidance_scale: float) -> Logits:
    """Apply classifier-free guidance: u + s(c - u), all (codebooks, size)."""
    guided: Logits = unconditional + np.float32(guidance_scale) * (conditional - unconditional)
    return guided
