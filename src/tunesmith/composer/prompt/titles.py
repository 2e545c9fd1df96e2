"""A short title from a prompt."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.composer.prompt.text import Prompt

_FEWEST_WORDS = 2
_PARTICLES = frozenset("のとにへをはがでもやなる的和与")
_MOST_WORDS, _MOST_IDEOGRAPHS = 6, 14
_SMALL_WORDS = (
    "a an the of for to in on at with and or but by from",
    "de la el y con para du des le les et pour avec und mit für der die das e com do da",
)
_SMALL = frozenset(word for words in _SMALL_WORDS for word in words.split())


def title_of(prompt: Prompt, numeric: frozenset[int]) -> str:
    """Return up to six words of the prompt's first clause in title case, without tempo and length."""
    chosen: list[int] = []
    for place, word in enumerate(prompt.words):
        if word.shape == "mark" or place in numeric:
            if len(chosen) >= _FEWEST_WORDS:
                break
            continue
        chosen.append(place)
        if len(chosen) >= (_MOST_IDEOGRAPHS if word.shape == "cjk" else _MOST_WORDS):
            break
    # A cut may leave a preposition or an article at the end.
    while len(chosen) > 1 and _is_small(prompt, chosen[-1]):
        chosen.pop()
    while len(chosen) > 1 and prompt.words[chosen[0]].text in ("a", "an", "make", "me", "please", "create", "some"):
        chosen.pop(0)
    return _joined(prompt, chosen) or "Untitled"


def _is_small(prompt: Prompt, place: int) -> bool:
    return prompt.words[place].text in _SMALL | _PARTICLES


def _joined(prompt: Prompt, places: Sequence[int]) -> str:
    title = ""
    for index, place in enumerate(places):
        word = prompt.words[place]
        text = prompt.text[word.start : word.end]
        if index:
            gap = prompt.text[prompt.words[places[index - 1]].end : word.start]
            title += gap if gap in ("", "-", "'", "’", "#") else " "
        # Small words stay lower case in a title, and so does the s of "90s".
        goes_on = index and (word.text in _SMALL or title[-1:] in "'’0123456789")
        title += text if goes_on else text[:1].upper() + text[1:]
    return title[:80]
