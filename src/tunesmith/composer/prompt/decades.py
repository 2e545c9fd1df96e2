"""Decades in a prompt: the 90 of ``90s hip hop`` is no length of 90 seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tunesmith.composer.prompt.lexicon import Match
from tunesmith.composer.prompt.text import Prompt

_DECADE = re.compile(r"(?<![\d.,:])(?:(['’])\s?)?((?:1[0-9]|20)?[1-9]0)\s?(['’]?s|ers?|年代)(?![^\W_])")
_LONG_AGO = re.compile(r"(?:the|late|early|mid|in den|der|los|las|les|dos|annees|anos)[\s-]+$")
_LONGEST_BEFORE = 12
_YOUNGEST, _OLDEST = 50, 90
_ERAS = ("genre", "style")
_YOUNGER_THAN_THE_SIXTIES = frozenset({
    "ambient", "drone", "lofi", "boom_bap", "trap", "phonk", "techno", "melodic_techno", "house", "deep_house",
    "trance", "drum_and_bass", "dubstep", "synthwave", "chiptune", "new_age", "corporate", "disco",
})  # fmt: skip
"""Genres before which ``60s`` is a length of one minute."""
_ERA_WORDS = frozenset({
    "music", "style", "sound", "sounds", "vibe", "vibes", "era", "film", "movie", "tv", "game", "hits", "nostalgia",
    "retro", "classic", "disco", "musik", "stil", "inspired", "influenced", "flavored", "flavoured",
})  # fmt: skip


def decade_words(prompt: Prompt, matches: Sequence[Match]) -> frozenset[int]:
    """Return the words of decades: ``1980s``, ``'90s``, ``the 70s``, ``90s hip hop``, ``60er``."""
    at = {match.first: match for match in matches}
    found: set[int] = set()
    for decade in _DECADE.finditer(prompt.folded):
        places = prompt.places(decade.start(2), decade.end())
        if _is_decade(prompt, decade, at, places[-1] + 1):
            found.update(places)
    return frozenset(found)


def _is_decade(prompt: Prompt, decade: re.Match[str], at: Mapping[int, Match], after: int) -> bool:
    # An apostrophe, four digits or a foreign suffix can only be a decade.
    if decade[1] or len(decade[2]) == 4 or decade[3] not in ("s",):
        return True
    if not _YOUNGEST <= int(decade[2]) <= _OLDEST or decade.group().endswith(" s"):
        return False
    if _LONG_AGO.search(prompt.folded, max(0, decade.start() - _LONGEST_BEFORE), decade.start()):
        return True
    if after >= len(prompt.words) or prompt.words[after].shape != "word":
        return False
    # "60s" before an unknown word is likelier a minute than the sixties.
    is_minute = decade[2] == "60"
    if prompt.words[after].text in _ERA_WORDS or (after not in at and not is_minute):
        # "90s eurodance"
        return True
    names = {name for place in (after, after + 1) if place in at for kind in _ERAS for name in at[place].names(kind)}
    return bool(names) and not (is_minute and names & _YOUNGER_THAN_THE_SIXTIES)
