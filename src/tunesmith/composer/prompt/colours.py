"""The colours of a piece: production effects and ambience, by the words of the prompt, by flags and by other genres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.brief import Reason
from tunesmith.composer.prompt.genre_and_mood import GenreChoice
from tunesmith.composer.prompt.lexicon import lookup
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.composer.prompt.text import phrase_key
from tunesmith.composer.score import AMBIENCES, PRODUCTION
from tunesmith.errors import UnknownName
from tunesmith.request import GenerationRequest

OPPOSITES = {"dry": "spacious", "spacious": "dry"}
"""Effects that rule each other out: the one that a flag names wins over the other one in the prompt."""
_NAMES = {"production": PRODUCTION, "ambience": AMBIENCES}


@dataclass(frozen=True, slots=True)
class Colours:
    """Names of production effects and of ambiences, with the reason for each."""

    production: tuple[str, ...]
    ambience: tuple[str, ...]
    reasons: tuple[Reason, ...]


def choose_colours(
    request: GenerationRequest, parsed: ParsedPrompt, chosen: GenreChoice, without: frozenset[str]
) -> Colours:
    """Choose production effects and ambience; raise UnknownName for a flag that names none."""
    flags = {kind: tuple(flag_colour(kind, flag) for flag in getattr(request, kind)) for kind in _NAMES}
    refused = {name for i in parsed.refused for name in parsed.matches[i].names("production")}
    refused |= {OPPOSITES[name] for name in flags["production"] if name in OPPOSITES}
    if chosen.name == "chiptune":
        # Chip voices are 8-bit by themselves.
        refused.add("bitcrush")
    by_words = {
        "production": (*parsed.names("production"), *chosen.lent("production")), "ambience": parsed.names("ambience"),
    }  # fmt: skip
    named = {
        kind: _kept(
            [name for name in by_words[kind] if name not in refused or kind == "ambience"], flags[kind], without
        )
        for kind in _NAMES
    }
    reasons = tuple(
        Reason(kind, name, "flag", "requested")
        if name in flags[kind]
        else Reason(kind, name, "prompt", f"the prompt says {parsed.words_for(kind, name)!r}")
        for kind, found in named.items()
        for name in found
    )
    return Colours(named["production"], named["ambience"], reasons)


def _kept(by_words: Sequence[str], flags: Sequence[str], without: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys((*by_words, *flags)) if name not in without)


def flag_colour(kind: str, flag: str) -> str:
    """Return the name of an effect or an ambience in any language; raise UnknownName for others."""
    canonical = phrase_key(flag).replace(" ", "_")
    meant = [name for own, name in lookup(phrase_key(flag)) if own == kind]
    found = canonical if canonical in _NAMES[kind] else next(iter(meant), None)
    if found is None:
        raise UnknownName(kind, flag, _NAMES[kind])
    return found
