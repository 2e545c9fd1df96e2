"""Requests that the composer cannot fulfil: vocals, lyrics, an artist's style. Each gives a warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunesmith.composer.prompt.lexicon import Match, value
from tunesmith.composer.prompt.text import Prompt

_SURE_TRIGGERS = ("style", "stil", "estilo", "manner", "vein", "remix", "cover", "inspi", "similar", "sounds", "sound")
_CAPITAL_TRIGGERS = frozenset({"like", "by", "a la", "type beat like"})
_LONGEST_NAME = 4


@dataclass(frozen=True, slots=True)
class UnsupportedRequest:
    """Requests that cannot be fulfilled.

    ``warnings`` name them, ``genre_weights`` are those of the named artists, ``words`` the words that this explains.
    """

    warnings: tuple[str, ...]
    genre_weights: tuple[tuple[str, float], ...]
    words: frozenset[int]


def find_unsupported(prompt: Prompt, matches: Sequence[Match]) -> UnsupportedRequest:
    """Collect the requests of a prompt that the composer cannot fulfil."""
    warnings: list[str] = []
    weights: list[tuple[str, float]] = []
    used: set[int] = set()
    sung = [prompt.written(m.first, m.last) for i, m in enumerate(matches) if _is_sung(matches, i)]
    if sung:
        warnings.append(
            f"the composer cannot sing: {', '.join(dict.fromkeys(sung))} ignored, the music is instrumental"
        )
    for match in matches:
        for name in match.names("artist"):
            warnings.append(_artist_warning(name))
            weights += value("artist", name)["genres"].items()
            used.update(range(match.first, match.last))
    # Unknown artists come after the known ones, whose words must not be reported twice.
    for first, last in _unknown_names(prompt, matches, used):
        warnings.append(_artist_warning(prompt.written(first, last)))
        used.update(range(first, last))
    return UnsupportedRequest(tuple(dict.fromkeys(warnings)), tuple(weights), frozenset(used))


def _is_sung(matches: Sequence[Match], index: int) -> bool:
    """Return whether a match asks for vocals, rather than for none."""
    before = matches[index - 1] if index else None
    after = matches[index + 1] if index + 1 < len(matches) else None
    return (
        # A negation may come before the word or, as in Japanese, after it.
        matches[index].is_word("vocals")
        and not (before is not None and (before.is_word("negate") or before.is_word("instrumental")))
        and not (after is not None and after.is_word("negate_after"))
    )


def _artist_warning(name: str) -> str:
    return f"the composer does not imitate artists: {name!r} is ignored"


def _unknown_names(prompt: Prompt, matches: Sequence[Match], used: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the words after ``in the style of`` and, where capitalised, after ``like`` and ``by``."""
    known = {i for m in matches if not m.is_word("stop") for i in range(m.first, m.last)} | used
    for match in matches:
        if not match.is_word("style_of"):
            continue
        trigger = " ".join(word.text for word in prompt.words[match.first : match.last])
        # After "in the style of" a name follows for certain; after "like" only a capital letter shows one.
        sure = any(part in trigger for part in _SURE_TRIGGERS)
        if not sure and trigger not in _CAPITAL_TRIGGERS:
            continue
        last = match.last
        while last < min(len(prompt.words), match.last + _LONGEST_NAME) and _names(prompt, last, known):
            last += 1
        if last > match.last:
            yield match.last, last


def _names(prompt: Prompt, place: int, known: set[int]) -> bool:
    word = prompt.words[place]
    return word.shape == "word" and place not in known and prompt.text[word.start].isupper()
