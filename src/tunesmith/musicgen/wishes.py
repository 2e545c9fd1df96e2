"""What a request wishes for, in the model's terms: words, and how codes are drawn."""

from __future__ import annotations

from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.sampling import SamplerSettings
from tunesmith.request import GenerationRequest

ONLY_COMPOSER = ("bars", "without", "form", "loop", "intensity", "hits", "soundfont")
"""Fields that a model of codes cannot grant."""
NO_WISH = (None, (), False, "track")
SAMPLER_FIELDS = ("temperature", "top_k", "top_p", "guidance_scale")


def check_wishes(request: GenerationRequest) -> None:
    """Raise InvalidRequest that names the first field that only the composer has."""
    for field in ONLY_COMPOSER:
        value = getattr(request, field)
        if value not in NO_WISH:
            shown = str(value) if field == "soundfont" else repr(value)
            raise InvalidRequest(field, f"only the composer has it, {request.model} has not, got {shown}")


def text_of(request: GenerationRequest) -> str:
    """Return the prompt with the wishes that can only be put into words."""
    words = [request.prompt]
    if request.genre:
        words.append(request.genre.replace("_", " "))
    if request.instruments:
        words.append("with " + " and ".join(name.replace("_", " ") for name in request.instruments))
    if request.tempo_bpm is not None:
        words.append(f"{request.tempo_bpm:g} bpm")
    if request.key:
        words.append(f"in {request.key}")
    if request.meter:
        words.append(f"{request.meter} time")
    return ", ".join(words)


def sampler_settings(request: GenerationRequest) -> SamplerSettings:
    """Return how codes are to be drawn, the model's defaults where nothing is said."""
    said = {field: getattr(request, field) for field in SAMPLER_FIELDS}
    return SamplerSettings(**{field: value for field, value in said.items() if value is not None})
