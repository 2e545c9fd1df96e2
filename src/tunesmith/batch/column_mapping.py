"""Column mapping: the names of a table's columns, and the request fields that their cells set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.field_names import FIELD_ALIASES, did_you_mean_field, field_for
from tunesmith.fields import shown
from tunesmith.request import PATHS, TEXT_LISTS, GenerationRequest, Hit

FILE, FORMAT = "file", "format"
ALIASES: Mapping[str, str] = {**FIELD_ALIASES, "output": FILE, "name": FILE, "filename": FILE}
"""Aliases of columns: the flags of ``tunesmith generate``, and common names."""
FIELDS = (*GenerationRequest.model_fields, FILE, FORMAT)
NUMBERS = (
    "duration", "bars", "tempo_bpm", "intensity", "loudness_lufs", "sample_rate", "seed", "guidance_scale",
    "temperature", "top_k", "top_p", "steps", "strength", "performances", "lead_frames",
)  # fmt: skip
FLAGS = ("loop", "mono", "perform", "accompany", "snap_tempo")
FLAG_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("wahr", "vrai", "verdadero", "verdadeiro", "ja", "oui", "sí", "sim", "真", "はい"), "true"),
    **dict.fromkeys(("falsch", "faux", "falso", "nein", "non", "não", "偽", "假", "いいえ"), "false"),
}
"""What spreadsheets write for true and false in the languages of prompts."""

REMARK = "#"
MAX_LIST = 100
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+:)*\d+,\d+s?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3},\d{3}")
_SCALARS = (str, int, float, bool)


def field_of(column: str) -> str | None:
    """Return the field of a column, whatever its case, dashes and spaces; None for a remark.

    Raises InvalidRequest for an unknown column.
    """
    if not column or column.startswith(REMARK):
        return None
    name = field_for(column, FIELDS, ALIASES)
    if name is not None:
        return name
    hint = did_you_mean_field(column, FIELDS, ALIASES) or f"; start its name with {REMARK} to ignore it"
    raise InvalidRequest("column", f"there is no field {column[:40]!r}{hint}")


def values_of(cells: Mapping[str, Any], folder: Path, delimiter: str = "") -> dict[str, Any]:
    """Return the fields that a row's cells set; paths are relative to ``folder``. Empty cells set nothing.

    ``delimiter`` is that of the table; with a semicolon or a tab, numbers may have a decimal comma. Raises
    InvalidRequest for the first invalid cell.
    """
    values: dict[str, Any] = {}
    columns: dict[str, str] = {}
    for column, cell in cells.items():
        name = field_of(column)
        if name is None or cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        if name in values:
            raise InvalidRequest(column.strip(), f"is an alias of {columns[name]}, which is also given")
        columns[name] = column.strip()
        values[name] = _value(name, _localized(name, cell, delimiter), folder)
    return values


def _localized(name: str, cell: Any, delimiter: str) -> Any:
    """Return a localized cell with a decimal point, or with true or false in English.

    Raises InvalidRequest if a comma is ambiguous.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if name in FLAGS:
        return FLAG_WORDS.get(text.casefold(), cell)
    # "3,5" may mean one time or two.
    if name == "hits" and delimiter == ";" and _DECIMAL_COMMA.fullmatch(text):
        raise InvalidRequest(name, f"is ambiguous, got {text!r}: write 3.5, or 3 5 for two times")
    if name not in NUMBERS or not _DECIMAL_COMMA.fullmatch(text):
        return cell
    # Tables with a semicolon come from locales that write decimal commas; with tabs, "1,000" may mean a thousand.
    if delimiter == ";" or (delimiter == "\t" and not _THOUSANDS.fullmatch(text)):
        return text.replace(",", ".")
    raise InvalidRequest(name, f"must be a number with a decimal point, got {text[:40]!r}")


def named_by_column(error: TunesmithError, columns: Iterable[str]) -> TunesmithError:
    """Return the error with the table's own name of the column."""
    if type(error) is not InvalidRequest:
        return error
    field, dot, rest = error.field.partition(".")
    column = next((one for one in columns if field_for(one, FIELDS, ALIASES) == field), field)
    return InvalidRequest(f"{column.strip()}{dot}{rest}", error.problem)


def _value(name: str, cell: Any, folder: Path) -> Any:
    if name in TEXT_LISTS:
        return _names(name, cell)
    if name == "hits":
        return tuple(_hit(item) for item in _items(name, cell, r"[,;\s]+"))
    if not isinstance(cell, _SCALARS):
        raise InvalidRequest(name, f"must be one value, got {shown(cell)}")
    if name in PATHS:
        path = folder / str(cell).strip()
        if not path.is_file():
            raise InvalidRequest(name, f"there is no file {path}")
        return path
    return cell.strip() if isinstance(cell, str) else cell


def _names(name: str, cell: Any) -> tuple[str, ...]:
    items = _items(name, cell, r"[,;|]")
    if not all(isinstance(item, str) for item in items):
        raise InvalidRequest(name, "must be names separated by commas")
    return tuple(item.strip() for item in items if item.strip())


def _items(name: str, cell: Any, between: str) -> list[Any]:
    if isinstance(cell, str):
        return [item for item in re.split(between, cell) if item]
    items = cell if isinstance(cell, list) else [cell]
    if len(items) > MAX_LIST:
        raise InvalidRequest(name, f"must be at most {MAX_LIST} items, got {len(items)}")
    return items


def _hit(item: Any) -> Hit:
    if isinstance(item, str):
        return Hit.parse(item)
    # A bool is an int to Python, but no time.
    if isinstance(item, bool) or not isinstance(item, int | float | dict):
        raise InvalidRequest("hits", f"must be times, got {shown(item)}")
    fields = item if isinstance(item, dict) else {"time": item}
    if not set(fields) <= set(Hit.model_fields) or not all(isinstance(value, _SCALARS) for value in fields.values()):
        raise InvalidRequest("hits", "must have a time, and optionally a climax")
    return GenerationRequest.checked(prompt="hits", hits=(fields,)).hits[0]
