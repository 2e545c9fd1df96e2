"""A YAML document that remembers its lines, so that a mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import yaml

from tunesmith.composer.score_file.size import Loader, check_size
from tunesmith.errors import InvalidScore
from tunesmith.suggestions import did_you_mean, near_names

Value = TypeVar("Value")
SHOWN = 60  # characters of a wrong value that an error quotes
LONGEST_PROBLEM = 300


@dataclass(frozen=True, slots=True)
class ScorePosition:
    """One node of the document: its YAML ``node``, the field's ``name``, and the ``part`` it belongs to."""

    node: yaml.Node
    name: str = "document"
    part: str | None = None

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
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
        """Return a mapping's values by key; unknown, doubled and missing keys are mistakes."""
        found: dict[str, ScorePosition] = {}
        names = list(known)
        for key, place in self.pairs():
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
        """Yield a mapping's keys, as text, and values."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.mistake(f"{self.name} must be a mapping of names to values")
        for key, value in self.node.value:
            name = ScorePosition(key, f"a name in {self.name}", self.part).text()
            yield name, ScorePosition(value, name, self.part)

    def items(self) -> Iterator[ScorePosition]:
        """Yield a list's entries."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.mistake(f"{self.name} must be a list")
        for value in self.node.value:
            yield ScorePosition(value, self.name, self.part)

    def of_part(self, part: str) -> ScorePosition:
        """Return the same place, belonging to ``part``."""
        return ScorePosition(self.node, self.name, part)

    def text(self) -> str:
        """Return a scalar as written."""
        if not self.is_single:
            raise self.mistake(f"{self.name} must be a single value")
        return str(self.node.value)

    def read(self, reader: Callable[[str], Value]) -> Value:
        """Return the scalar as ``reader`` understands it; its ValueError becomes a mistake at this place."""
        text = self.text()
        try:
            return reader(text)
        except ValueError as error:
            raise self.mistake(f"{self.name}: {error}") from None

    def number(self, low: float, high: float) -> float:
        """Return a number from ``low`` to ``high``."""
        text = self.text()
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise self.mistake(f"{self.name} must be a number from {low:g} to {high:g}, got {text[:SHOWN]!r}")
        return value

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``; exact beyond the precision of floats."""
        text = self.text()
        digits = text.removeprefix("-")
        if not digits.isdecimal() or len(digits) > SHOWN or not low <= int(text) <= high:
            raise self.mistake(f"{self.name} must be a whole number from {low} to {high}, got {text[:SHOWN]!r}")
        return int(text)

    def flag(self) -> bool:
        """Return true or false."""
        return self.one_of(("true", "false")) == "true"

    def one_of(self, names: Iterable[str]) -> str:
        """Return a name out of ``names``."""
        text, known = self.text(), list(names)
        if text not in known:
            nearest = near_names(text, known)
            hint = f"did you mean {nearest[0]}?" if nearest else f"it can be {', '.join(known[:12])}"
            raise self.mistake(f"{self.name} cannot be {text[:SHOWN]!r}; {hint}")
        return text


def parse_document(text: str) -> ScorePosition:
    """Read YAML into its places; raises InvalidScore at the line where it is no YAML."""
    try:
        check_size(text)
        node = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidScore(f"not YAML: {error.problem}", line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise InvalidScore(f"not YAML: {str(error).splitlines()[0]}") from None
    if node is None:
        raise InvalidScore("the file is empty")
    return ScorePosition(node)
