"""ConfigReader: checked values from a configuration file; errors name the file and the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tunesmith.errors import ModelFileError

T = TypeVar("T")
# The largest accepted size in an architecture.
LARGEST = 1_000_000
# The longest accepted list.
LONGEST = 64


@dataclass(frozen=True, slots=True)
class ConfigReader:
    """One section of a configuration file; ``path`` is its position in the file, such as ``decoder.``.

    ``default`` replaces a field that the file lacks; without a default, a missing field raises ModelFileError, and so
    does a value of another type or out of range.
    """

    file: str
    values: Mapping[str, Any]
    path: str = ""

    def section(self, name: str) -> ConfigReader:
        """Return the section of this name."""
        return ConfigReader(self.file, self._get(name, dict, None), f"{self.path}{name}.")

    def sections(self, name: str) -> tuple[ConfigReader, ...]:
        """Return the sections of a list, such as ``conditioning.configs``."""
        values = self._get(name, list, None)
        if not all(isinstance(value, dict) for value in values) or len(values) > LONGEST:
            raise self.error(name, f"must be a list of at most {LONGEST} sections")
        return tuple(ConfigReader(self.file, value, f"{self.path}{name}[{k}].") for k, value in enumerate(values))

    def integer(self, name: str, default: int | None = None, *, most: int = LARGEST) -> int:
        """Return an integer from 1 to ``most``."""
        value: int = self._get(name, int, default)
        if not 1 <= value <= most:
            raise self.error(name, f"must be 1 to {most}, got {value}")
        return value

    def integers(
        self, name: str, default: tuple[int, ...] | None = None, *, least: int = 0, most: int = LARGEST
    ) -> tuple[int, ...]:
        """Return a list of one or more integers from ``least`` to ``most``."""
        value = self._get(name, list, None if default is None else list(default))
        # ``type`` and not ``isinstance``: a bool is an int to Python.
        if not all(type(item) is int and least <= item <= most for item in value) or not 1 <= len(value) <= LONGEST:
            raise self.error(name, f"must be whole numbers from {least} to {most}, got {value}")
        return tuple(value)

    def numbers(self, name: str, default: tuple[float, ...] | None = None) -> tuple[float, ...]:
        """Return a list of one or more numbers above zero."""
        value = self._get(name, list, None if default is None else list(default))
        if not all(type(item) in (int, float) and 0 < item < LARGEST for item in value) or not value:
            raise self.error(name, f"must be numbers above zero, got {value}")
        return tuple(map(float, value))

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number above zero."""
        value = self._get(name, (int, float), default)
        if not 0 < value < float("inf"):
            raise self.error(name, f"must be a number above zero, got {value}")
        return float(value)

    def number_from_zero(self, name: str, default: float | None = None) -> float:
        """Return a number of zero or more."""
        value = self._get(name, (int, float), default)
        if not 0 <= value < float("inf"):
            raise self.error(name, f"must be a number of zero or more, got {value}")
        return float(value)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        return str(self._get(name, str, default))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        value = self._get(name, list, None)
        if not all(isinstance(item, str) for item in value) or len(value) > LONGEST:
            raise self.error(name, f"must be a list of at most {LONGEST} names")
        return tuple(value)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """Return a boolean."""
        return bool(self._get(name, bool, default))

    def optional(self, name: str) -> Any:
        """Return the value of any type; None if the file has none."""
        return self.values.get(name)

    def one_of(self, name: str, allowed: tuple[T, ...], default: T | None = None) -> T:
        """Return a value that must be one of ``allowed``."""
        value = self.values.get(name, default)
        for known in allowed:
            # 1 == True and 1 == 1.0 in Python, but they are different settings.
            if value == known and type(value) is type(known):
                return known
        raise self.error(name, f"must be {' or '.join(map(repr, allowed))}, got {value!r}")

    def error(self, name: str, problem: str) -> ModelFileError:
        """Return a ModelFileError about one field."""
        return ModelFileError(self.file, f"{self.path}{name}: {problem}")

    def _get(self, name: str, kind: type | tuple[type, ...], default: Any) -> Any:
        value = self.values.get(name, default)
        if name not in self.values and default is None:
            raise self.error(name, "is missing")
        kinds = kind if isinstance(kind, tuple) else (kind,)
        # A bool is an int to Python, but no size of a model.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise self.error(name, f"must be {' or '.join(one.__name__ for one in kinds)}, got {value!r}")
        return value
