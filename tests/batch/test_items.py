"""Orders: rows become checked requests with seeds and files, the same ones again when the sheet is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.batch.input_table import Sheet, SheetRow
from tunesmith.batch.items import BatchItem, Defaults, read_items
from tunesmith.batch.manifest import BatchManifest
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest, Hit


def sheet(*rows: Mapping[str, Any], columns: tuple[str, ...] = ()) -> Sheet:
    return Sheet(tuple(SheetRow(line, row) for line, row in enumerate(rows, start=2)), (), columns)


def orders_of(folder: Path, *rows: Mapping[str, Any], defaults: Defaults | None = None) -> list[BatchItem]:
    orders, problems = read_items(sheet(*rows), BatchManifest(folder), defaults or Defaults(folder), lambda _: None)
    assert problems == []
    return orders


def problems_of(folder: Path, *rows: Mapping[str, Any], columns: tuple[str, ...] = ()) -> list[tuple[int, str]]:
    _, problems = read_items(sheet(*rows, columns=columns), BatchManifest(folder), Defaults(folder), lambda _: None)
    return [(problem.line, problem.text) for problem in problems]


@pytest.mark.parametrize("column", ["tempo_bpm", "Tempo-BPM", "TEMPO BPM", " bpm ", "Tempo"])
def test_columns_are_known_whatever_their_case_and_dashes(tmp_path: Path, column: str) -> None:
    (order,) = orders_of(tmp_path, {"Prompt": "calm", column: "90"})
    assert order.request.tempo_bpm == 90


def test_cells_become_fields(tmp_path: Path) -> None:
    cells = {
        "prompt": "calm", "instruments": "piano; bass", "loop": "yes", "duration": "1:02", "hits": "2, 0:12=climax",
        "# remark": "mine", "genre": " ", "mono": True, "seed": 5,
    }  # fmt: skip
    (order,) = orders_of(tmp_path, cells)
    assert order.request == GenerationRequest(
        prompt="calm", instruments=("piano", "bass"), loop=True, duration=62, mono=True, seed=5,
        hits=(Hit(time=2), Hit(time=12, climax=True)),
    )  # fmt: skip


def test_lists_and_hits_may_come_as_json(tmp_path: Path) -> None:
    cells = {"prompt": "calm", "instruments": ["piano"], "hits": [3, {"time": 5, "climax": True}, "0:07"]}
    (order,) = orders_of(tmp_path, cells)
    assert order.request.instruments == ("piano",)
    assert order.request.hits == (Hit(time=3), Hit(time=5, climax=True), Hit(time=7))


def test_every_bad_row_is_named_with_its_line(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        {"prompt": "calm", "bpm": "1400"},
        {"prompt": "fine"},
        {"bpm": "90"},
        {"prompt": "calm", "tempoo": 3},
        {"prompt": "calm", "bpm": 90, "tempo": 80},
        {"prompt": ["a", "b"]},
        {"prompt": "calm", "format": "wma"},
        {"prompt": "calm", "audio": "none.wav"},
        {"prompt": "calm", "hits": [[1]]},
        {"prompt": "calm", "hits": [{"time": 1, "loud": True}]},
        {"prompt": "calm", "instruments": [1]},
        {"prompt": "calm", "without": ["x"] * 1000},
    )
    expected = [
        (2, "bpm: must be at most 300"), (4, "prompt: is missing"), (5, "did you mean tempo"),
        (6, "tempo: is an alias of bpm, which"), (7, "prompt: must be one value"), (8, "format: the suffix must be"),
        (9, "audio: there is no file"), (10, "hits: must be times"), (11, "hits: must have a time"),
        (12, "instruments: must be names"), (13, "without: must be at most 100"),
    ]  # fmt: skip
    assert [line for line, _ in found] == [line for line, _ in expected]
    for (_, text), (_, words) in zip(found, expected, strict=True):
        assert words in text


def test_a_wrong_column_is_one_problem_and_not_one_a_row(tmp_path: Path) -> None:
    rows: list[dict[str, str]] = [{"prompt": "calm", "tempoo": "3"}] * 5
    assert [line for line, _ in problems_of(tmp_path, *rows, columns=("prompt", "tempoo"))] == [1]
    assert problems_of(tmp_path, {"bpm": "3"}, columns=("bpm",)) == [(1, "the column prompt is missing")]
    assert "several for tempo_bpm" in problems_of(tmp_path, {}, columns=("prompt", "bpm", "Tempo"))[0][1]


def test_what_a_model_would_refuse_is_a_problem_of_its_row(tmp_path: Path) -> None:
    def check(request: GenerationRequest) -> None:
        if request.genre:
            raise InvalidRequest("genre", "is unknown")

    rows = sheet({"prompt": "a"}, {"prompt": "b", "genre": "x"})
    orders, problems = read_items(rows, BatchManifest(tmp_path), Defaults(tmp_path), check)
    assert [(problem.line, problem.text) for problem in problems] == [(3, "genre: is unknown")]
    assert len(orders) == 1


@pytest.mark.parametrize("file", ["../a.wav", "/etc/a.wav", "a/../../b.wav", "C:\\a.wav", ".hidden.wav", "a\x07.wav"])
def test_a_file_must_stay_in_the_folder(tmp_path: Path, file: str) -> None:
    ((_, text),) = problems_of(tmp_path, {"prompt": "calm", "file": file})
    assert text.startswith("file: must be a name in the folder")


def test_two_rows_cannot_have_one_file(tmp_path: Path) -> None:
    found = problems_of(tmp_path, {"prompt": "a", "file": "Song.wav"}, {"prompt": "b", "file": "song", "format": "wav"})
    assert found == [(3, "file: song.wav is also the file of line 2")]


def test_files_are_named_after_row_and_prompt_and_take_nobodys_place(tmp_path: Path) -> None:
    (tmp_path / "002-funk.mp3").touch()
    found = orders_of(tmp_path, {"prompt": "Calm piano!"}, {"prompt": "funk"}, {"prompt": "x", "file": "sub\\title"},
                      defaults=Defaults(tmp_path, suffix=".mp3"))  # fmt: skip
    assert [order.entry.file for order in found] == ["001-calm-piano.mp3", "002-funk-2.mp3", "sub/title.mp3"]


def test_flags_hold_where_a_row_says_nothing_and_win_over_settings(tmp_path: Path) -> None:
    defaults = Defaults(tmp_path, lambda _: {"loudness_lufs": -20, "mono": True}, {"duration": "9", "mono": False})
    first, second, third = orders_of(
        tmp_path, {"prompt": "a"}, {"prompt": "b", "duration": 4}, {"prompt": "c", "bars": 4}, defaults=defaults
    )
    assert (first.request.duration, second.request.duration, third.request.duration) == (9, 4, None)
    assert (first.request.loudness_lufs, first.request.mono) == (-20, False)


def test_the_same_rows_are_told_apart_and_have_seeds_of_their_own(tmp_path: Path) -> None:
    first, second = orders_of(tmp_path, {"prompt": "a"}, {"prompt": "a"}, defaults=Defaults(tmp_path, seed=7))
    assert first.entry.id != second.entry.id
    assert (first.request.seed, second.request.seed) == (7, 8)


def test_a_sheet_read_again_keeps_seeds_and_files_wherever_its_rows_stand(tmp_path: Path) -> None:
    before = orders_of(tmp_path, {"prompt": "a"}, {"prompt": "b"})
    manifest = BatchManifest(tmp_path)
    manifest.begin([replace(order.entry, state="made") for order in before])
    after = orders_of(tmp_path, {"prompt": "new"}, {"prompt": "b"}, {"prompt": "a"})
    assert [order.request.seed for order in after[1:]] == [order.request.seed for order in reversed(before)]
    assert [order.entry.file for order in after] == ["001-new.wav", "002-b.wav", "001-a.wav"]
    assert [order.entry.row for order in after] == [1, 2, 3]
    assert [order.entry.state for order in after] == ["waiting", "made", "made"]


def test_a_changed_row_is_a_new_piece_beside_the_old_one(tmp_path: Path) -> None:
    before = orders_of(tmp_path, {"prompt": "a", "bpm": 90})
    manifest = BatchManifest(tmp_path)
    manifest.begin([order.entry for order in before])
    (after,) = orders_of(tmp_path, {"prompt": "a", "bpm": 95})
    assert after.entry.file == "001-a-2.wav"
    manifest.begin([after.entry])
    assert manifest.files() == {"001-a.wav", "001-a-2.wav"}


@pytest.mark.parametrize(("delimiter", "cell", "seconds"), [
    (";", "3,5", 3.5), (";", "1:02,5", 62.5), (";", "1,500", 1.5), ("\t", "3,5", 3.5), (";", "3.5", 3.5),
    (",", "3.5", 3.5),
])  # fmt: skip
def test_numbers_have_a_decimal_comma_where_the_table_has_another_delimiter(
    tmp_path: Path, delimiter: str, cell: str, seconds: float
) -> None:
    rows = replace(sheet({"prompt": "calm", "duration": cell}), delimiter=delimiter)
    ((order,), problems) = read_items(rows, BatchManifest(tmp_path), Defaults(tmp_path), lambda _: None)
    assert (order.request.duration, problems) == (seconds, [])


@pytest.mark.parametrize(("delimiter", "cells", "words"), [
    (",", {"duration": "3,5"}, "duration: must be a number with a decimal point, got '3,5'"),
    ("\t", {"duration": "1,500"}, "duration: must be a number with a decimal point, got '1,500'"),
    ("", {"bpm": "90,5"}, "bpm: must be a number with a decimal point, got '90,5'"),
    (";", {"hits": "3,5"}, "hits: is ambiguous, got '3,5'"),
])  # fmt: skip
def test_a_comma_that_may_mean_two_things_is_refused(
    tmp_path: Path, delimiter: str, cells: dict[str, str], words: str
) -> None:
    rows = replace(sheet({"prompt": "calm", **cells}), delimiter=delimiter)
    _, (problem,) = read_items(rows, BatchManifest(tmp_path), Defaults(tmp_path), lambda _: None)
    assert problem.text.startswith(words)


@pytest.mark.parametrize(
    ("word", "flag"), [("WAHR", True), ("VRAI", True), ("FALSO", False), ("TRUE", True), ("no", False)]
)
def test_true_and_false_are_read_as_spreadsheets_of_many_languages_write_them(
    tmp_path: Path, word: str, flag: bool
) -> None:
    (order,) = orders_of(tmp_path, {"prompt": "calm", "loop": word})
    assert order.request.loop is flag
