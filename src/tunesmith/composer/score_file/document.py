"""A YAML document that keeps its line numbers, so that errors can point to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import yaml

from tunesmith.composer.score_file.size import Loader, check_size
from tunesmith.errors import InvalidScore
from tunesmith.suggestions import did_you_mean, near_names

Value = TypeVar("Value")
# Characters of a wrong value that an error quotes.
SHOWN = 60
LONGEST_PROBLEM = 300


@dataclass(frozen=True, slots=True)
class ScorePosition:
    """A node of the document: its YAML ``node``, the field's ``name``, and the ``part`` to which it belongs."""

    node: yaml.Node
    name: str = "document"
    part: str | None = None

    @property
    def line(self) -> int:
        """The line in the file, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def is_single(self) -> bool:
        """Whether it is a single value, neither list nor mapping."""
        return isinstance(self.node, yaml.ScalarNode)

    def mistake(self, problem: str, beat: str | None = None) -> InvalidScore:
        """Return the error for this place."""
        part = None if self.part is None else " ".join(self.part.split())[:SHOWN]
        return InvalidScore(" ".join(problem.split())[:LONGEST_PROBLEM], line=self.line, part=part, beat=beat)

    def fields(self, known: Iterable[str], required: Iterable[str] = ()) -> dict[str, ScorePosition]:
        """Return the values of a mapping by key; raise InvalidScore for unknown, duplicate and missing keys."""
        found: dict[str, ScorePosition] = {}
        names = list(known)
        for key, place in self.pairs():
            # The nearest known field is suggested: most unknown ones are misspelled.
            if key not in names:
                raise place.mistake(f"unknown field {key[:SHOWN]!r}{did_you_mean(key, names)}")
            if key in found:
                raise place.mistake(f"{key!r} is given twice")
            found[key] = place
        missing = [name for name in required if name not in found]
        if missing:
            raise self.mistake(f"{missing[0]!r} is missing")
        return found

    def pairs(self) -> Iterator[tuple[str, ScorePosition]]:
        """Yield the keys of a mapping, as text, and its values; raise InvalidScore for any other node."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.mistake(f"{self.name} must be a mapping of names to values")
        for key, value in self.node.value:
            # A key may itself be a list or a mapping in YAML, which text() refuses.
            name = ScorePosition(key, f"a name in {self.name}", self.part).text()
            yield name, ScorePosition(value, name, self.part)

    def items(self) -> Iterator[ScorePosition]:
        """Yield the entries of a list; raise InvalidScore for any other node."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.mistake(f"{self.name} must be a list")
        for value in self.node.value:
            yield ScorePosition(value, self.name, self.part)

    def of_part(self, part: str) -> ScorePosition:
        """Return the same place, as belonging to ``part``."""
        return ScorePosition(self.node, self.name, part)

    def text(self) -> str:
        """Return a scalar as written; raise InvalidScore for any other node."""
        if not self.is_single:
            raise self.mistake(f"{self.name} must be a single value")
        return str(self.node.value)

    def read(self, reader: Callable[[str], Value]) -> Value:
        """Return the scalar as read by ``reader``, whose ValueError becomes an InvalidScore at this place."""
        text = self.text()
        try:
            return reader(text)
        except ValueError as error:
            raise self.mistake(f"{self.name}: {error}") from None

    def number(self, low: float, high: float) -> float:
        """Return a number from ``low`` to ``high``; raise InvalidScore for any other value."""
        text = self.text()
        try:
            value = float(text)
        except ValueError:
            # NaN fails the range check below, so that both kinds of mistake give the same error.
            value = float("nan")
        if not low <= value <= high:
            raise self.mistake(f"{self.name} must be a number from {low:g} to {high:g}, got {text[:SHOWN]!r}")
        return value

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, exact beyond the precision of floats.

        Raises InvalidScore for any other value.
        """
        text = self.text()
        # Python's int() would also accept underscores and spaces.
        digits = text.removeprefix("-")
        # The number of digits is checked first: converting a huge number would take very long.
        if not digits.isdecimal() or len(digits) > SHOWN or not low <= int(text) <= high:
            raise self.mistake(f"{self.name} must be a whole number from {low} to {high}, got {text[:SHOWN]!r}")
        return int(text)

    def flag(self) -> bool:
        """Return true or false; raise InvalidScore for any other value."""
        return self.one_of(("true", "false")) == "true"

    def one_of(self, names: Iterable[str]) -> str:
        """Return a name out of ``names``; raise InvalidScore with the nearest one for any other."""
        text, known = self.text(), list(names)
        if text not in known:
            nearest = near_names(text, known)
            hint = f"did you mean {nearest[0]}?" if nearest else f"it can be {', '.join(known[:12])}"
            raise self.mistake(f"{self.name} cannot be {text[:SHOWN]!r}; {hint}")
        return text


def parse_document(text: str) -> ScorePosition:
    """Return the root of a YAML document; raise InvalidScore, with the line, for invalid YAML."""
    try:
        check_size(text)
        node = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        # Some problems have no place of their own, only that of their context.
        mark = error.problem_mark or error.context_mark
        raise InvalidScore(f"not YAML: {error.problem}", line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise InvalidScore(f"not YAML: {str(error).splitlines()[0]}") from None
    if node is None:
        raise InvalidScore("the file is empty")
    return ScorePosition(node)
