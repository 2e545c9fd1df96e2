"""Input tables: the rows of a request file in any format, each with the line it starts on."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from tunesmith.batch.tables import PROMPT, Mistake, dialect_of, is_table, records
from tunesmith.errors import InvalidRequest
from tunesmith.fields import shown
from tunesmith.text_files import decoded, with_line_feeds

SheetForm = Literal["csv", "jsonl", "yaml", "lines"]
FORMS: tuple[str, ...] = get_args(SheetForm)
SUFFIXES: Mapping[str, SheetForm] = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".yaml": "yaml", ".yml": "yaml",
    ".txt": "lines", ".md": "lines", "": "lines",
}  # fmt: skip
SAVE_AS = 'save it as "CSV UTF-8" in a spreadsheet, or as UTF-8 in an editor'
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
STANDARD_INPUT = "-"
MAX_BYTES = 32 << 20
MAX_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class RowError:
    """An error in the row that starts on ``line``."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with its ``cells`` by column name, as written."""

    line: int
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The valid rows of a file, and the errors in the others.

    A CSV file also has its ``columns``, the line of its header, and its delimiter.
    """

    rows: tuple[SheetRow, ...]
    problems: tuple[RowError, ...]
    columns: tuple[str, ...] = ()
    header_line: int = 1
    delimiter: str = ""


def read_sheet(source: str, form: str | None = None) -> Sheet:
    """Read a file, or standard input for ``-``, in the given format or that of its suffix.

    Raises InvalidRequest for a file that cannot be read at all.
    """
    if form is not None and form not in FORMS:
        raise InvalidRequest("as", f"must be {', '.join(FORMS)}, got {form[:40]!r}")
    known = form or ("lines" if source == STANDARD_INPUT else SUFFIXES.get(Path(source).suffix.lower()))
    if known is None:
        hint = f"{SAVE_AS}, or say --as {'|'.join(FORMS)}" if _is_spreadsheet(source) else f"say --as {'|'.join(FORMS)}"
        raise InvalidRequest("file", f"{source}: unknown format; {hint}")
    found = _ParseResult()
    text = _text_of(source)
    # A text file may hold a table, such as Excel's "Unicode Text".
    if known == "lines" and form is None and is_table(with_line_feeds(text)):
        known = "csv"
    {"csv": _read_csv, "jsonl": _read_json_lines, "yaml": _read_yaml, "lines": _read_lines}[known](text, found)
    if len(found.rows) > MAX_ROWS:
        raise InvalidRequest("file", f"{source}: must have at most {MAX_ROWS} rows, got {len(found.rows)}")
    if not found.rows and not found.problems:
        raise InvalidRequest("file", f"{source}: it contains no rows")
    return Sheet(tuple(found.rows), tuple(found.problems), found.columns, found.header_line, found.delimiter)


def _is_spreadsheet(source: str) -> bool:
    return Path(source).suffix.lower() in SPREADSHEETS


@dataclass(slots=True)
class _ParseResult:
    rows: list[SheetRow] = field(default_factory=list)
    problems: list[RowError] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    header_line: int = 1
    delimiter: str = ""

    def value(self, line: int, value: Any) -> None:
        """Add a row from JSON or YAML: an object of cells, or a string as the prompt alone."""
        if isinstance(value, str):
            self.rows.append(SheetRow(line, {PROMPT: value}))
        elif isinstance(value, dict):
            self.rows.append(SheetRow(line, {str(name): cell for name, cell in value.items()}))
        else:
            self.problems.append(RowError(line, f"must be a prompt or fields with values, got {shown(value)}"))


def _text_of(source: str) -> str:
    try:
        # Read one byte more than allowed, to notice a larger file without reading all of it.
        if source == STANDARD_INPUT:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidRequest("file", f"cannot read {source}: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise InvalidRequest("file", f"{source}: must be at most {MAX_BYTES >> 20} MiB")
    return decoded(content, source, save_as=SAVE_AS)


def _read_lines(text: str, found: _ParseResult) -> None:
    # Split at line feeds only: str.splitlines would also split at separators inside a prompt.
    for number, line in enumerate(with_line_feeds(text).split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.rows.append(SheetRow(number, {PROMPT: line.strip()}))


def _read_json_lines(text: str, found: _ParseResult) -> None:
    for number, line in enumerate(with_line_feeds(text).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.value(number, json.loads(line))
        except json.JSONDecodeError as error:
            found.problems.append(RowError(number, f"is not JSON: {error.msg} at column {error.colno}"))
        except (ValueError, RecursionError) as error:
            found.problems.append(RowError(number, f"is not JSON: {_reason(error)}"))


def _read_csv(text: str, found: _ParseResult) -> None:
    dialect, table = dialect_of(text)
    found.delimiter = dialect.delimiter
    names: list[str] | None = None
    for record in records(table, dialect):
        if isinstance(record, Mistake):
            found.problems.append(RowError(record.line, record.text))
        elif names is None:
            names = [name.strip() for name in record[1]]
            found.columns, found.header_line = tuple(names), record[0]
        else:
            _add_record(*record, names, found)


def _add_record(line: int, record: list[str], names: list[str], found: _ParseResult) -> None:
    # Spreadsheets add empty cells at the end of a row, which are harmless.
    if any(cell.strip() for cell in record[len(names) :]):
        there_are = f"has {len(record)} cells, but the header has {len(names)}"
        found.problems.append(RowError(line, f"{there_are}; put text with a {found.delimiter!r} in it in quotes"))
    else:
        found.rows.append(SheetRow(line, dict(zip(names, record, strict=False))))


def _read_yaml(text: str, found: _ParseResult) -> None:
    import yaml

    # Work on nodes, not values: only nodes know their line numbers.
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            found.problems.append(
                RowError(root.start_mark.line + 1, "must be a list of rows, each beginning with '- '")
            )
            return
        for node in root.value:
            found.value(node.start_mark.line + 1, loader.construct_object(node, deep=True))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found.problems.append(RowError(line, f"is not YAML: {error.problem}"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        found.problems.append(RowError(1, f"is not YAML: {_reason(error)}"))
    finally:
        loader.dispose()


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error).split("\n", 1)[0]
