"""Sheets: a file of requests as rows, each with the line it begins on, whatever the file's form."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from tunesmith.errors import InvalidRequest

SheetForm = Literal["csv", "jsonl", "yaml", "lines"]
FORMS: tuple[str, ...] = get_args(SheetForm)
SUFFIXES: Mapping[str, SheetForm] = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".yaml": "yaml", ".yml": "yaml",
    ".txt": "lines", ".md": "lines", "": "lines",
}  # fmt: skip
STANDARD_INPUT = "-"
MAX_BYTES = 32 << 20
MAX_ROWS = 20_000
DELIMITERS = ",;\t"
PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the row that begins on ``line``."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row's ``cells`` by the names of their columns, as they are written."""

    line: int
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file that could be read, and what is wrong with the others; ``columns`` are those of a CSV."""

    rows: tuple[SheetRow, ...]
    problems: tuple[Problem, ...]
    columns: tuple[str, ...] = ()


def read_sheet(source: str, form: str | None = None) -> Sheet:
    """Read a file, or standard input for ``-``, in the form given or told by its suffix.

    Raises InvalidRequest for a file that cannot be read at all.
    """
    if form is not None and form not in FORMS:
        raise InvalidRequest("as", f"must be {', '.join(FORMS)}, got {form[:40]!r}")
    known = form or ("lines" if source == STANDARD_INPUT else SUFFIXES.get(Path(source).suffix.lower()))
    if known is None:
        raise InvalidRequest("file", f"{source}: what it is cannot be told from its name; say --as {'|'.join(FORMS)}")
    found = _Found()
    text = _text_of(source)
    {"csv": _read_csv, "jsonl": _read_json_lines, "yaml": _read_yaml, "lines": _read_lines}[known](text, found)
    if len(found.rows) > MAX_ROWS:
        raise InvalidRequest("file", f"{source}: must have at most {MAX_ROWS} rows, got {len(found.rows)}")
    if not found.rows and not found.problems:
        raise InvalidRequest("file", f"{source}: there are no rows in it")
    return Sheet(tuple(found.rows), tuple(found.problems), found.columns)


@dataclass(slots=True)
class _Found:
    rows: list[SheetRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    columns: tuple[str, ...] = ()

    def value(self, line: int, value: Any) -> None:
        """Take what stands for a row in JSON or YAML: its cells, or its prompt alone."""
        if isinstance(value, str):
            self.rows.append(SheetRow(line, {PROMPT: value}))
        elif isinstance(value, dict):
            self.rows.append(SheetRow(line, {str(name): cell for name, cell in value.items()}))
        else:
            self.problems.append(Problem(line, f"must be a prompt or fields with values, got {type(value).__name__}"))


def _text_of(source: str) -> str:
    try:
        if source == STANDARD_INPUT:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidRequest("file", f"cannot read {source}: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise InvalidRequest("file", f"{source}: must be at most {MAX_BYTES >> 20} MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidRequest("file", f"{source}: must be text in UTF-8, which line {line} is not") from None


def _read_lines(text: str, found: _Found) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.rows.append(SheetRow(number, {PROMPT: line.strip()}))


def _read_json_lines(text: str, found: _Found) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.value(number, json.loads(line))
        except json.JSONDecodeError as error:
            found.problems.append(Problem(number, f"is not JSON: {error.msg} at column {error.colno}"))
        except (ValueError, RecursionError) as error:
            found.problems.append(Problem(number, f"is not JSON: {_reason(error)}"))


def _read_csv(text: str, found: _Found) -> None:
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    records = _records(text, delimiter, found)
    _, header = next(records, (1, []))
    names = [name.strip() for name in header]
    found.columns = tuple(names)
    for line, record in records:
        if len(record) > len(names):
            there_are = f"has {len(record)} cells, but there are {len(names)} columns"
            found.problems.append(Problem(line, f"{there_are}; put text with a {delimiter!r} in it in quotes"))
        else:
            found.rows.append(SheetRow(line, dict(zip(names, record, strict=False))))


def _records(text: str, delimiter: str, found: _Found) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not empty, each with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            found.problems.append(Problem(line, f"is not CSV: {error}"))
            return
        if any(cell.strip() for cell in record):
            yield line, record
        line = reader.line_num + 1


def _read_yaml(text: str, found: _Found) -> None:
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            found.problems.append(Problem(root.start_mark.line + 1, "must be a list of rows, each beginning with '- '"))
            return
        for node in root.value:
            found.value(node.start_mark.line + 1, loader.construct_object(node, deep=True))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found.problems.append(Problem(line, f"is not YAML: {error.problem}"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found.problems.append(Problem(1, f"is not YAML: {_reason(error)}"))
    finally:
        loader.dispose()


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error).split("\n", 1)[0]
