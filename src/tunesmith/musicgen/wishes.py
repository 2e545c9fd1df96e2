"""How codes are to be drawn, as a request wishes."""

from __future__ import annotations

from tunesmith.musicgen.sampling import SamplerSettings
from tunesmith.request import GenerationRequest

SAMPLER_FIELDS = ("temperature", "top_k", "top_p", "guidance_scale")


def sampler_settings(request: GenerationRequest) -> SamplerSettings:
    """Return how codes are to be drawn, the model's defaults where nothing is said."""
    said = {field: getattr(request, field) for field in SAMPLER_FIELDS}
    return SamplerSettings(**{field: value for field, value in said.items() if value is not None})
