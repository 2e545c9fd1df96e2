"""Items: the rows of a table as validated requests, each with its name, seed and file."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tunesmith.audio.formats import format_of
from tunesmith.batch.column_mapping import FILE, FORMAT, field_of, named_by_column, values_of
from tunesmith.batch.input_table import RowError, Sheet, SheetRow
from tunesmith.batch.manifest import BatchManifest, Entry
from tunesmith.batch.tables import PROMPT
from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.output_files import slug
from tunesmith.request import DRAWN_SEEDS, GenerationRequest

Check = Callable[[GenerationRequest], None]
"""A callback that raises the errors a model would raise for a request, before generation."""

# 64 bits of a SHA-256.
ID_LETTERS = 16
_NAMED = re.compile(r"[^\x00-\x1f<>:\"|?*\\]+")


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A request and its entry in the manifest."""

    request: GenerationRequest
    entry: Entry


@dataclass(frozen=True, slots=True)
class Defaults:
    """Defaults for fields that a row leaves out.

    ``settings`` returns the user's settings for the fields of a row. ``flags`` are fields set for the whole batch,
    which override the settings. ``seed`` applies to every row. ``suffix`` is the default format. Paths in rows are
    relative to ``folder``.
    """

    folder: Path
    settings: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}
    flags: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    suffix: str = ".wav"

    def of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row's fields with the defaults; a default duration does not override bars in the row."""
        given = {"model": "composer", **self.flags, **values}
        if "bars" in values and "duration" not in values:
            given.pop("duration", None)
        settings = {name: value for name, value in self.settings({PROMPT: "", **given}).items() if value is not None}
        return {**settings, **given}


def read_items(
    sheet: Sheet, manifest: BatchManifest, defaults: Defaults, check: Check
) -> tuple[list[BatchItem], list[RowError]]:
    """Return an item for every valid row of the table, and the errors of the others.

    A row that is in the manifest keeps its seed and its file.
    """
    reader = _RowParser(manifest, defaults, check, sheet.delimiter)
    problems = [*sheet.problems, *_column_problems(sheet)]
    items = []
    # With a wrong column every row would report the same error.
    for number, row in enumerate(() if len(problems) > len(sheet.problems) else sheet.rows, start=1):
        try:
            items.append(reader.to_item(number, row))
        except TunesmithError as error:
            problems.append(RowError(row.line, str(named_by_column(error, row.cells))))
    return items, sorted(problems, key=lambda problem: problem.line)


def _column_problems(sheet: Sheet) -> list[RowError]:
    """Return the errors in the columns of a CSV file, once and not for every row."""
    problems, names = [], []
    for column in sheet.columns:
        try:
            names.append(field_of(column))
        except InvalidRequest as error:
            problems.append(RowError(sheet.header_line, str(error)))
    if sheet.columns and not problems and PROMPT not in names:
        problems.append(RowError(sheet.header_line, f"the column {PROMPT} is missing"))
    doubles = [name for name, times in Counter(names).items() if name is not None and times > 1]
    return [*problems, *(RowError(sheet.header_line, f"column: several for {name}") for name in doubles)]


class _RowParser:
    def __init__(self, manifest: BatchManifest, defaults: Defaults, check: Check, delimiter: str) -> None:
        self._manifest = manifest
        self._delimiter = delimiter
        self._defaults = defaults
        self._check = check
        self._times: Counter[str] = Counter()
        self._lines: dict[str, int] = {}
        self._taken = {_same(file) for file in manifest.files()}

    def to_item(self, number: int, row: SheetRow) -> BatchItem:
        """Return the item of a row. Raises TunesmithError for an invalid row."""
        values = values_of(row.cells, self._defaults.folder, self._delimiter)
        if PROMPT not in values:
            raise InvalidRequest(PROMPT, "is missing")
        suffix = _suffix(values.pop(FORMAT, None), self._defaults.suffix)
        requested_file = values.pop(FILE, None)
        fields = self._defaults.of(values)
        name, times = self._named({**fields, FILE: requested_file, FORMAT: suffix})
        known = self._manifest.find(name)
        request = GenerationRequest.checked(**fields).with_seed(self._seed(known, times))
        # A finished row is not generated again, so it needs no check.
        if not (known and self._manifest.is_done(known)):
            self._check(request)
        file = self._file(known, requested_file, f"{number:03d}-{slug(request.prompt)}", suffix)
        if _same(file) in self._lines:
            raise InvalidRequest(FILE, f"{file} is also the file of line {self._lines[_same(file)]}")
        self._lines[_same(file)] = row.line
        content = {**request.model_dump(mode="json", exclude_unset=True), "model": request.model}
        if known is None:
            return BatchItem(request, Entry(name, number, row.line, content, file))
        kept = {"digest": known.digest, "seconds": known.seconds, "duration": known.duration, "track": known.track,
                "warnings": known.warnings}  # fmt: skip
        state = {"state": known.state, "error": known.error, "tries": known.tries}
        return BatchItem(request, Entry(name, number, row.line, content, file, **kept, **state))  # type: ignore[arg-type]

    def _named(self, fields: Mapping[str, Any]) -> tuple[str, int]:
        """Return the id of a row's content, and how many earlier rows have the same content."""
        # The id depends on the content, not on the row number: reordering a table must not regenerate it.
        content = json.dumps(fields, sort_keys=True, default=str)
        times = self._times[content]
        self._times[content] += 1
        return hashlib.sha256(f"{content}\0{times}".encode(errors="replace")).hexdigest()[:ID_LETTERS], times

    def _seed(self, known: Entry | None, times: int) -> int:
        if known is not None and isinstance(known.request.get("seed"), int):
            return int(known.request["seed"])
        # Equal rows get different seeds, or they would give the same audio.
        return secrets.randbelow(DRAWN_SEEDS) if self._defaults.seed is None else self._defaults.seed + times

    def _file(self, known: Entry | None, wanted: Any, stem: str, suffix: str) -> str:
        """Return the file of a row: the known one, the requested one, or a free name."""
        if known is not None:
            return known.file
        if wanted is not None:
            return _inside(str(wanted), suffix)
        file, number = f"{stem}{suffix}", 2
        while _same(file) in self._lines or _same(file) in self._taken or (self._manifest.folder / file).exists():
            file, number = f"{stem}-{number}{suffix}", number + 1
        return file


def _suffix(wanted: Any, default: str) -> str:
    suffix = default if wanted is None else f".{str(wanted).strip().lower().removeprefix('.')}"
    format_of(Path(f"a{suffix}"), FORMAT)
    return suffix


def _inside(wanted: str, suffix: str) -> str:
    """Return the requested file. Raises InvalidRequest unless it stays inside the folder, on every system."""
    path = PurePosixPath(wanted.replace("\\", "/"))
    if path.is_absolute() or not path.name or not all(map(_is_name, path.parts)):
        raise InvalidRequest(FILE, f"must be a name in the folder of the batch, got {wanted[:80]!r}")
    named = path if path.suffix else path.with_name(path.name + suffix)
    format_of(Path(named), FILE)
    return str(named)


def _is_name(part: str) -> bool:
    return part != ".." and part == part.strip() and _NAMED.fullmatch(part) is not None and not part.startswith(".")


def _same(file: str) -> str:
    """Return a key that is equal for names that some file system treats as the same file."""
    # macOS and Windows ignore case, and macOS stores accents decomposed.
    return unicodedata.normalize("NFC", file).casefold()
