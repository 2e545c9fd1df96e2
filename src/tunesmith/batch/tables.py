"""CSV tables: delimiter, header and records, as spreadsheets in any locale write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.batch.column_mapping import ALIASES, FIELDS
from tunesmith.field_names import field_for

DELIMITERS = ",;\t"
PROMPT = "prompt"
_SEPARATOR_LINE = re.compile(r"sep=(?P<delimiter>[^\w\s\"]|\t)\r?(?:\n|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of a table: its ``delimiter``, and the number of lines before its header."""

    delimiter: str
    lines_before: int = 0


def dialect_of(text: str) -> tuple[Dialect, str]:
    """Return the dialect of a table, and the table without Excel's line ``sep=;``."""
    separator = _SEPARATOR_LINE.match(text)
    if separator:
        return Dialect(separator["delimiter"], 1), text[separator.end() :]
    first = text.partition("\n")[0]
    # A header has no quoted text as a rule, so counting delimiters is enough.
    return Dialect(max(DELIMITERS, key=first.count)), text


def is_table(text: str) -> bool:
    """Return whether text in a file with another suffix is a table: a header with the prompt among other fields.

    With tabs, as in Excel's "Unicode Text", the other columns may have any name.
    """
    if _SEPARATOR_LINE.match(text):
        return True
    first = text.partition("\n")[0].strip("\r")
    for delimiter in DELIMITERS:
        cells = first.split(delimiter)
        fields = [field_for(cell.strip().strip('"'), FIELDS, ALIASES) for cell in cells]
        if len(cells) > 1 and PROMPT in fields and (delimiter == "\t" or None not in fields):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Mistake:
    """An error in the record that starts on ``line``."""

    line: int
    text: str


def records(text: str, dialect: Dialect) -> Iterator[tuple[int, list[str]] | Mistake]:
    """Yield the non-empty records with the line each starts on; a Mistake ends a file that is not CSV."""
    # Excel on a Mac writes bare carriage returns.
    if "\n" not in text:
        text = text.replace("\r", "\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, strict=True)
    line = 1 + dialect.lines_before
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Mistake(line, f"is not CSV: {error}")
            return
        if any(cell.strip() for cell in record):
            yield line, record
        # A quoted cell may span lines, so the reader's count, not the record's, gives the next line.
        line = reader.line_num + 1 + dialect.lines_before
