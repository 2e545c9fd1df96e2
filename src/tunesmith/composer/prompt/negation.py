"""Negation in a prompt: ``no drums``, ``without piano or bass``, ``drums: none``, ``ドラムなし``, ``没有鼓``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunesmith.composer.prompt.lexicon import Match, lookup
from tunesmith.composer.prompt.text import Prompt

_REFUSABLE = ("instrument", "family", "production", "ambience", "mood", "genre", "tempo", "style", "form", "means")
_FILLERS = frozenset(
    word
    for words in (
        "any the a an too much use sounds sound very more all kind of",
        "los las la el de d o os as des le les",
    )
    for word in words.split()
)
_JOINERS = ("and", "or")
# "Drumless", "schlagzeuglos".
_NEGATIVE_TAILS = ("less", "los", "frei")


def refused(prompt: Prompt, matches: Sequence[Match]) -> frozenset[int]:
    """Return the indexes of the matches that a negation covers."""
    found: set[int] = set()
    for index, match in enumerate(matches):
        if match.is_word("negate"):
            found.update(_after(prompt, matches, index))
        # In Japanese and Chinese the negation follows its object.
        if match.is_word("negate_after"):
            found.update(_before(matches, index))
        if _is_thing(match) and (_is_switched_off(prompt, matches, index) or _is_lacking(prompt, match)):
            found.add(index)
    return frozenset(found)


def _is_thing(match: Match) -> bool:
    return any(kind in _REFUSABLE for kind, _ in match.meanings)


def _after(prompt: Prompt, matches: Sequence[Match], index: int) -> Iterator[int]:
    """Yield the things that follow, joined by and, or, or by commas in a list that ends in an or."""
    place, joined = matches[index].last, True
    is_list = place < len(prompt.words) and prompt.words[place].text == ":"
    place += is_list
    for following in range(index + 1, len(matches)):
        match = matches[following]
        # Fillers, as in "no kind of drums", do not end a negation.
        gap = [word for word in prompt.words[place : match.first] if word.text not in _FILLERS]
        if len(gap) == 1 and gap[0].text == "/":
            gap, joined = [], True
        # "No drums, piano" wants a piano; only a list that ends in "or" is refused as a whole.
        comma = len(gap) == 1 and gap[0].is_pause and not gap[0].is_break
        if gap and not (comma and (is_list or _list_ends_in_or(matches, following))):
            return
        if _is_thing(match) and (joined or comma):
            yield following
            joined = False
        elif any(match.is_word(name) for name in _JOINERS):
            joined = True
        elif match.is_word("negate") or not _is_filler(prompt, match):
            return
        place = match.last


def _is_switched_off(prompt: Prompt, matches: Sequence[Match], index: int) -> bool:
    """Return whether a colon or an equals sign and a no that ends the clause follow a thing: ``loop: no``."""
    end = matches[index].last
    after = matches[index + 1] if index + 1 < len(matches) else None
    if (
        after is None
        or "denied" not in after.names("label")
        or after.first - end > 1
        or any(word.text != ":" for word in prompt.words[end : after.first])
    ):
        return False
    sign = prompt.text[prompt.words[end - 1].end : prompt.words[after.first].start].strip()
    # "Loop: no" is a refusal; in "loop: no drums" the no belongs to what follows.
    ends = after.last >= len(prompt.words) or prompt.words[after.last].shape == "mark"
    gap = "" if ends else prompt.text[prompt.words[after.last - 1].end : prompt.words[after.last].start]
    is_bound = sign in (":", "=") or (sign == "" and prompt.words[after.first].text == "off")
    return is_bound and (ends or gap.strip() != "" or "\t" in gap or prompt.words[after.last].shape == "cjk")


def _is_lacking(prompt: Prompt, match: Match) -> bool:
    """Return whether the word itself says that the thing is missing: ``drumless``."""
    word = prompt.words[match.first].text
    return match.last == match.first + 1 and word.endswith(_NEGATIVE_TAILS) and lookup(word) == ()


def _is_filler(prompt: Prompt, match: Match) -> bool:
    return all(word.text in _FILLERS for word in prompt.words[match.first : match.last]) or match.is_word("stop")


def _list_ends_in_or(matches: Sequence[Match], start: int) -> bool:
    for match in matches[start:]:
        if match.is_word("or"):
            return True
        if not _is_thing(match):
            return False
    return False


def _before(matches: Sequence[Match], index: int) -> Iterator[int]:
    place = matches[index].first
    for preceding in range(index - 1, -1, -1):
        match = matches[preceding]
        # Only adjacent words: a negation at the end refuses the phrase right before it.
        if match.last != place:
            return
        if _is_thing(match):
            yield preceding
        elif not any(match.is_word(name) for name in _JOINERS):
            return
        place = match.first
