"""The text prompt of a request, for models that read only text."""

from __future__ import annotations

from tunesmith.errors import InvalidRequest
from tunesmith.plain_text import visible_text
from tunesmith.request import GenerationRequest

ONLY_COMPOSER = ("bars", "without", "form", "loop", "intensity", "hits", "soundfont")
"""Fields that only the composer supports."""
UNSET = (None, (), False, "track")


def reject_composer_only_fields(request: GenerationRequest) -> None:
    """Raise InvalidRequest for the first field that only the composer supports."""
    for field in ONLY_COMPOSER:
        value = getattr(request, field)
        if value not in UNSET:
            shown = str(value) if field == "soundfont" else repr(value)
            raise InvalidRequest(field, f"only the composer supports it, not {request.model}, got {shown}")


def prompt_text(request: GenerationRequest) -> str:
    """Return the prompt with genre, instruments, tempo, key and meter added in words."""
    words = [visible_text(request.prompt)]
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
