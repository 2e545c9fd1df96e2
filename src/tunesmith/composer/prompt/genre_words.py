"""Genres by the words of a prompt: the head of the noun phrase, and the words that hint at a genre."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tunesmith.composer.genre import genre_names
from tunesmith.composer.prompt.lexicon import Match, value
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.text import Prompt

_HEAD_FIRST = (
    "de",
    "con",
    "para",
    "del",
    "com",
    "pour",
    "avec",
    "y",
    "una",
    "un",
    "une",
    "du",
    "musica",
    "musique",
    "um",
    "uma",
)
_STYLE_WEIGHT = 0.9
_FIRST_PLAYER_BONUS = 0.2
# A band must not outvote the purpose of the music.
_MOST_BY_PLAYERS = 1.6
_PIANO_ALONE = "solo_piano"
# Genres whose name is also a form in which others are played.
_FORMS = frozenset({"acoustic_ballad"})


@dataclass(frozen=True, slots=True)
class NamedGenre:
    """A genre that the prompt names: ``name``, the ``words`` that name it, and the ``others`` that colour it."""

    name: str
    words: str
    others: tuple[str, ...] = ()


def named_genre(prompt: Prompt, matches: Sequence[Match], refused: frozenset[int]) -> NamedGenre | None:
    """Return the main genre that a prompt names, or None.

    Of several, those before a ``with`` come first. Adjacent ones form a noun phrase, whose head is last in English,
    German, Japanese and Chinese and first in Spanish, French and Portuguese. Of separate ones, the first wins.
    """
    found = [(m, m.names("genre")[0]) for i, m in enumerate(matches) if m.names("genre") and i not in refused]
    found = [(match, name) for match, name in found if name in genre_names()]
    if not found:
        return None
    cut = next((m.first for m in matches if m.is_word("subordinate") and m.first > found[0][0].first), None)
    heads = [pair for pair in found if cut is None or pair[0].first < cut]
    run = [heads[0]]
    for pair in heads[1:]:
        if pair[0].first > run[-1][0].last:
            break
        run.append(pair)
    # A soul ballad is soul.
    run = [pair for pair in run if pair[1] not in _FORMS] or run
    head = run[0] if _is_head_first(prompt) else run[-1]
    others = tuple(dict.fromkeys(name for _, name in found if name != head[1]))
    return NamedGenre(head[1], prompt.written(head[0].first, head[0].last), others)


def _is_head_first(prompt: Prompt) -> bool:
    return sum(word.text in _HEAD_FIRST for word in prompt.words) >= 1


def leanings(matches: Sequence[Match], refused: frozenset[int], by_player: float = 1.0) -> Mapping[str, float]:
    """Return the weight with which words that are no genre names point to each genre.

    ``by_player`` is the share with which the names of players count.
    """
    weights: dict[str, float] = defaultdict(float)
    by_players: dict[str, float] = defaultdict(float)
    players: list[str] = []
    for i, match in enumerate(matches):
        if i in refused:
            continue
        for kind, name in match.meanings:
            for genre, weight in _lean(kind, name):
                if kind in ("instrument", "family"):
                    # The first player named leads the band, so it says more about the genre.
                    by_players[genre] += weight + (0.0 if players else _FIRST_PLAYER_BONUS)
                else:
                    weights[genre] += weight
            players += [name] if kind in ("instrument", "family") else []
    # A second instrument rules out the solo genre, however often a piano is named.
    if any("piano" not in name for name in players):
        by_players.pop(_PIANO_ALONE, None)
    for genre, weight in by_players.items():
        weights[genre] += by_player * min(weight, _MOST_BY_PLAYERS)
    return {genre: weight for genre, weight in weights.items() if genre in genre_names()}


def _lean(kind: str, name: str) -> list[tuple[str, float]]:
    if kind in ("instrument", "family"):
        return list(index()["hints"].get(name, {}).items())
    if kind == "use":
        return list(value("use", name).get("genres", {}).items())
    return [(name, _STYLE_WEIGHT)] if kind == "style" else []


def refused_genres(matches: Sequence[Match], refused: frozenset[int]) -> frozenset[str]:
    """Return the genres that the prompt excludes."""
    return frozenset(name for i in refused for kind in ("genre", "style") for name in matches[i].names(kind))
