"""The means that a prompt names, and the genres that they leave: electronic, acoustic, orchestral, guitar music."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.composer.genre import genre_names
from tunesmith.composer.means import all_means, genre_weights
from tunesmith.composer.prompt.instrument_words import wanted_names
from tunesmith.composer.prompt.lexicon import Match, value
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt

_ALONE: Mapping[str, tuple[str, ...]] = {
    "guitar": ("guitar",), "acoustic_guitar": ("guitar", "acoustic"), "nylon_guitar": ("guitar", "acoustic"),
    "clean_guitar": ("guitar",), "electric_guitar": ("guitar",), "piano": ("piano",), "felt_piano": ("piano",),
    "synth": ("synth",),
    "strings": ("strings",), "brass": ("brass",), "woodwinds": ("woodwind",), "flute": ("woodwind",),
    "percussion": ("percussion",), "choir": ("choir",), "orchestra": ("orchestral",),
}  # fmt: skip
"""Players that choose the genre as these means would, where a prompt names nothing else that does."""
_SAYS_MORE = ("genre", "style", "use", "artist")


def named_means(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return the means that a prompt names; music that must not be electronic is acoustic."""
    refused = {name for i in parsed.refused for name in parsed.matches[i].names("means")}
    found = dict.fromkeys(parsed.names("means"))
    if refused & {"electronic", "synth"}:
        found["acoustic"] = None
    if "a_cappella" in found:
        # Voices alone are the narrower of the two.
        found.pop("choir", None)
    return tuple(found)


def means_of_lone_player(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return the means that stand for the only player of a prompt that says nothing else about the genre."""
    if parsed.unsupported.genre_weights or any(_says_more(match) for match in parsed.matches):
        return ()
    players = list(wanted_names(parsed.matches, parsed.refused))
    return _ALONE.get(players[0], ()) if len(players) == 1 else ()


def _says_more(match: Match) -> bool:
    # A mood word that hints at a genre, such as epic, is a mood here.
    return any(match.names(kind) for kind in _SAYS_MORE) and not match.names("mood")


def inside(means: tuple[str, ...]) -> Mapping[str, float]:
    """Return the genres inside the means with their weights."""
    return genre_weights(means, {name: str(value("genre", name)["family"]) for name in genre_names()})


def because_of(parsed: ParsedPrompt, name: str) -> str:
    """Return the reason for the means: the user's words for them, or that they say what it must not be."""
    if name in parsed.names("means"):
        return (
            f"the prompt says {parsed.words_for('means', name)!r}: genre and band stay with {all_means()[name].title}"
        )
    return "the prompt says what it must not be"
