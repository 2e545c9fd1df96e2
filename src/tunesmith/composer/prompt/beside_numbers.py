"""The context of the numbers in a prompt: units after them, labels before them, names that they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.prompt.lexicon import Match, lookup
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.numbers import Number, numbers_in
from tunesmith.composer.prompt.text import Prompt

FIELD_LABELS = frozenset({"tempo", "pace", "duration", "bars", "seconds", "minutes"})
_LONGEST_LABEL = 8
_MOST_LINKS = 5
_LONGEST_MEASURE = 4
_LABELS_NEXT = re.compile(r"\s*[:=]+\s*[~≈]?\d")
_MARKED = re.compile(r"[:=(]|->|→")
_OTHER_SIGNS = re.compile(r"\s*[%°‰€$£]")
_RANGE_SIGNS = re.compile(r"^\s*(?:[-‐-―~〜−]|to|bis|a|から|到|至|et|and|und|y|e)\s*$")
_BREAK = re.compile(r"\s[-–—|/•·*]+\s|\||[\])]")
_CURRENCY = re.compile(r"[$€£#]\s?$")
_CERTAIN_TEMPO = (20.0, 400.0)


@dataclass(frozen=True, slots=True)
class Label:
    """A word that says what the number after it is.

    ``name`` is an entry of labels.yaml, or ``word`` for a tempo word; ``last`` is the place after it. ``is_marked``
    says that a colon or an equals sign binds it to the number, ``has_comma`` that a comma lies between.
    """

    name: str
    last: int
    is_marked: bool
    has_comma: bool


class NumberContext:
    """The numbers of a prompt with their neighbours; numbers at the words ``taken`` mean something else."""

    def __init__(self, prompt: Prompt, matches: Sequence[Match], taken: frozenset[int]) -> None:
        self.prompt = prompt
        self.words = prompt.words
        self.matches = tuple(matches)
        self._at = {match.first: match for match in matches}
        self._ends = {match.last: match for match in matches}
        self.numbers = numbers_in(prompt.words, taken)
        self._number_at = {number.first: place for place, number in enumerate(self.numbers)}

    def ends_clause(self, last: int) -> bool:
        """Return whether a clause ends before word ``last``: by a mark, a dash between spaces, a bar or a bracket."""
        if last >= len(self.words) or (self.word(last) == "/" and not self.has_slash(last)):
            return True
        gap = self.gap(last, last)
        if self.words[last].is_pause:
            # Punctuation with ASCII text right after it is part of a longer term.
            after = self.prompt.text[self.words[last].end : self.words[last].end + 1]
            return self.words[last].text not in ".,:" or not after.isalnum() or not after.isascii()
        return _BREAK.search(gap) is not None

    def match_at(self, place: int) -> Match | None:
        """Return the match that begins at a place, or None."""
        return self._at.get(place)

    def gap(self, last: int, first: int) -> str:
        """Return the text between the word before ``last`` and the word ``first``."""
        start = self.words[last - 1].end if last else 0
        end = self.words[first].start if first < len(self.words) else len(self.prompt.text)
        return self.prompt.text[start:end]

    def word(self, place: int) -> str:
        """Return a word, or nothing outside the prompt."""
        return self.words[place].text if 0 <= place < len(self.words) else ""

    def unit_after(self, last: int, *names: str) -> tuple[str, int] | None:
        """Return (unit, the place after it) of the unit at ``last``, or None.

        A unit that is the label of a number after it is none: ``level 3 bars: 8``.
        """
        match = self._at.get(last)
        unit = next((name for name in names if match and match.is_word(name)), None)
        if match is None or unit is None or _LABELS_NEXT.match(self.prompt.text, self.words[match.last - 1].end):
            return None
        return unit, match.last

    def tempo_unit_after(self, number: Number) -> int | None:
        """Return the place after the ``bpm`` of a number, or None: in ``3 – BPM 114`` it belongs to 114."""
        unit = self.unit_after(number.last, "bpm")
        if unit is None:
            return None
        low, high = _CERTAIN_TEMPO
        return unit[1] if low <= number.value <= high or not self.is_number(unit[1]) else None

    def is_number(self, place: int) -> bool:
        """Return whether one of the numbers begins at a word."""
        return place in self._number_at

    def range_start(self, place: int, lowest: float) -> tuple[float, int]:
        """Return (lower end, first word) of the range that the number at index ``place`` ends.

        The lower end must be at least ``lowest``. A number that ends no range gives its own value and word.
        """
        number = self.numbers[place]
        if place:
            before = self.numbers[place - 1]
            between = self.prompt.folded[self.words[before.last - 1].end : self.words[number.first].start]
            if before.last <= number.first and _RANGE_SIGNS.match(between) and before.value >= lowest:
                return before.value, before.first
        return number.value, number.first

    def begins_range(self, place: int, lowest: float) -> bool:
        """Return whether the next number ends a range that this one begins."""
        numbers = self.numbers
        return place + 1 < len(numbers) and self.range_start(place + 1, lowest)[1] == numbers[place].first

    def range_before(self, number: Number) -> int:
        """Return the first word of the rising range that a number ends, or its own first word."""
        place = self._number_at.get(number.first)
        low, start = (0.0, number.first) if place is None else self.range_start(place, 0.0)
        return start if low < number.value else number.first

    def has_slash(self, last: int) -> bool:
        """Return whether a slash joins a number to what follows.

        A slash between spaces that no number follows separates clauses.
        """
        if self.word(last) != "/":
            return False
        is_apart = self.gap(last, last) != "" and self.gap(last + 1, last + 1) != ""
        # "4 / 4" is still one meter; "calm / slow" separates two ideas.
        return not is_apart or (last + 1 < len(self.words) and self.words[last + 1].shape == "number")

    def label_before(self, first: int, used: frozenset[int] = frozenset()) -> Label | None:
        """Return the label of the number that begins at ``first``, or None; the words ``used`` are no labels."""
        place, comma = first - 1, False
        # An at sign, "@ 120", is a label without a word.
        nearby = Label("nearby", first, is_marked=False, has_comma=False) if self._follows_at_sign(first) else None
        # Labels may lie past links ("tempo is around 120"); a limit keeps a far label from claiming the number.
        for _ in range(_MOST_LINKS):
            place, comma, ended = self._skip_marks(place, comma)
            if ended or place in used:
                break
            start, names = self._label_ending_at(place + 1)
            marked = bool(_MARKED.search(self.prompt.text[self.words[place].end : self.words[first].start]))
            field = next((name for name in names if name in FIELD_LABELS), None)
            if field is not None and place not in used:
                return Label(field, place + 1, marked, comma)
            if "nearby" in names and not comma and nearby is None:
                nearby = Label("nearby", place + 1, marked, has_comma=False)
            worded = self._ends.get(place + 1)
            if worded is not None and worded.names("tempo") and self._holds_tempo(worded):
                # "medium tempo, 95"
                return Label("tempo", place + 1, marked, comma)
            if worded is not None and worded.names("tempo") and "link" not in names:
                # "Tempo: Allegro, 132"
                start, names = worded.first, ("link",)
            if "link" not in names:
                break
            place = start - 1
        return nearby or self._tempo_word_before(first)

    def _holds_tempo(self, match: Match) -> bool:
        return any(("label", "tempo") in lookup(word.text) for word in self.words[match.first : match.last])

    def _follows_at_sign(self, first: int) -> bool:
        start = self.words[first].start
        return self.prompt.text[max(0, start - 2) : start].rstrip().endswith("@")

    def _skip_marks(self, place: int, comma: bool) -> tuple[int, bool, bool]:
        """Step back over a colon, one comma, the stop of an abbreviation and a line end after a colon."""
        while place >= 0 and self.words[place].shape == "mark":
            text, before = self.words[place].text, self.word(place - 1)
            if text == ":" or (text == "\n" and before == ":") or (text == "." and self._is_abbreviation(place)):
                place -= 1
            elif text in ",、" and not comma:
                place, comma = place - 1, True
            else:
                return place, comma, True
        return place, comma, place < 0

    def _is_abbreviation(self, place: int) -> bool:
        _, names = self._label_ending_at(place + 1)
        return self.word(place - 1) in ("approx", "aprox", "ca", "circa") or bool(names)

    def _label_ending_at(self, last: int) -> tuple[int, tuple[str, ...]]:
        # The longest phrase wins, so the search starts with the farthest first word.
        for first in range(max(0, last - _LONGEST_LABEL), last):
            phrase = " ".join(word.text for word in self.words[first:last])
            # "Denied" is no label: it is the "no" of "loop: no".
            names = tuple(name for kind, name in lookup(phrase) if kind == "label" and name != "denied")
            if names:
                return first, names
        return last, ()

    def _tempo_word_before(self, first: int) -> Label | None:
        """Return ``adagio`` or ``slow`` right before a number as its label."""
        match = self._ends.get(first)
        if match is None or not match.names("tempo"):
            return None
        return Label("word", first, bool(_MARKED.search(self.gap(first, first))), has_comma=False)

    def is_measure(self, number: Number) -> bool:
        """Return whether its context makes a number a measure, a share, a price, a clock time or a name."""
        start = self.words[number.first].start
        before = self.prompt.text[max(0, start - 2) : start]
        return (
            _OTHER_SIGNS.match(self.prompt.text, self.words[number.last - 1].end) is not None
            or _CURRENCY.search(before) is not None
            or self.kind_after(number.last) == "measure"
        )

    def kind_after(self, place: int) -> str:
        """Return whether the words after a number are a ``measure`` or something ``counted``, or nothing."""
        table: dict[str, list[str]] = index()["numbered"]
        # Longest first, so that a phrase wins over the word with which it begins.
        for last in range(min(len(self.words), place + _LONGEST_MEASURE), place, -1):
            phrase = " ".join(word.text for word in self.words[place:last])
            kind = next((kind for kind in ("measure", "counted") if phrase in table[kind]), "")
            if kind:
                return kind
        return ""

    def is_name(self, first: int) -> bool:
        """Return whether the words before a number make it a name: ``no. 14``, ``level 3``."""
        place = first - 2 if self.word(first - 1) in (".", ":") else first - 1
        return self.word(place) in index()["numbered"]["name"]
