"""The mood of a request: mood words in any of the seven languages, or valence and arousal as two numbers."""

from __future__ import annotations

import re

from tunesmith.composer.brief import Mood, Reason
from tunesmith.composer.genre import Genre
from tunesmith.composer.prompt.genre_and_mood import described_mood
from tunesmith.composer.prompt.lexicon import names
from tunesmith.composer.prompt.parsed_prompt import understand
from tunesmith.errors import InvalidRequest
from tunesmith.suggestions import did_you_mean

_NUMBERS = re.compile(r"([+-]?\d*\.?\d+)[\s,;/]+([+-]?\d*\.?\d+)")
# Valence or arousal further from the genre's own is no longer that genre's music.
_FAR = 1.0


def read_mood(text: str | None, genre: Genre) -> tuple[Mood, Reason, tuple[str, ...]] | None:
    """Return the mood of a request with its reason, and a warning where it is far from the genre, which stays.

    None where the request has no mood. Raises InvalidRequest for words that name none.
    """
    if text is None:
        return None
    mood = _numbers(text) or understand(text).mood
    if mood is None:
        hint = did_you_mean(text.strip().replace(" ", "_"), names("mood"))
        raise InvalidRequest(
            "mood", f"must be mood words, or valence and arousal such as '0.6 -0.2', got {text!r}{hint}"
        )
    far = max(abs(mood.valence - genre.valence), abs(mood.arousal - genre.arousal)) > _FAR
    warning = f"mood: {text.strip()} is unusual for {genre.title}, which stays; genre sets another"
    return mood, Reason("mood", described_mood(mood), "flag", "requested"), (warning,) if far else ()


def _numbers(text: str) -> Mood | None:
    """Return the mood of two numbers, or None for other text; raise InvalidRequest outside −1 to 1."""
    found = _NUMBERS.fullmatch(text.strip())
    if found is None:
        return None
    valence, arousal = float(found[1]), float(found[2])
    if not (-1 <= valence <= 1 and -1 <= arousal <= 1):
        raise InvalidRequest("mood", f"valence and arousal must be -1 to 1, got {text.strip()!r}")
    return Mood(valence, arousal)
