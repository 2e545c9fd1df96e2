"""The text prompt of a request, for models that read only text."""

from __future__ import annotations

from collections.abc import Collection

from tunesmith.errors import InvalidRequest
from tunesmith.plain_text import visible_text
from tunesmith.request import GenerationRequest, without_plus

ONLY_COMPOSER = (
    "bars", "without", "form", "loop", "production", "ambience", "balance", "intro", "intensity", "hits", "lock",
    "score_edits", "soundfont", "score",
)  # fmt: skip
"""Fields that the composer supports, and MusicGen does not."""
ALSO_NEURAL = ("bars", "loop")
"""Those of them that Stable Audio and Magenta RealTime models support too."""
UNSET = (None, (), False, "track")


ONLY_STABLE_AUDIO = ("steps", "ending", "strength", "schedule", "repaint")
"""Fields that only Stable Audio models support."""


def reject_stable_audio_only_fields(request: GenerationRequest) -> None:
    """Raise InvalidRequest for the first field that only Stable Audio models support."""
    for field in ONLY_STABLE_AUDIO:
        value = getattr(request, field)
        if value is not None:
            raise InvalidRequest(field, f"only Stable Audio models support it, not {request.model}, got {value!r}")


def reject_composer_only_fields(request: GenerationRequest, *, supported: Collection[str] = ()) -> None:
    """Raise InvalidRequest for the first field that the composer supports, apart from those of ``supported``."""
    for field in ONLY_COMPOSER:
        value = getattr(request, field)
        if field not in supported and value not in UNSET:
            shown = str(value) if field in ("soundfont", "score") else repr(value)
            also = ", Stable Audio and Magenta RealTime models support" if field in ALSO_NEURAL else " supports"
            raise InvalidRequest(field, f"only the composer{also} it, not {request.model}, got {shown}")


def prompt_text(request: GenerationRequest) -> str:
    """Return the prompt with genre, instruments, tempo, key and meter added in words."""
    words = [visible_text(request.prompt)]
    if request.genre:
        words.append(request.genre.replace("_", " "))
    if request.mood:
        words.append(request.mood)
    if request.instruments:
        words.append("with " + " and ".join(without_plus(name).replace("_", " ") for name in request.instruments))
    if request.tempo_bpm is not None:
        words.append(f"{request.tempo_bpm:g} bpm")
    if request.key:
        words.append(f"in {request.key}")
    if request.meter:
        words.append(f"{request.meter} time")
    return ", ".join(words)
