"""Sheets: rows with their lines from every form, and all that is wrong with a file at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.batch.input_table import Sheet, read_sheet
from tunesmith.errors import InvalidRequest


def sheet_of(folder: Path, name: str, text: str, form: str | None = None) -> Sheet:
    path = folder / name
    path.write_bytes(text.encode())
    return read_sheet(str(path), form)


def rows(sheet: Sheet) -> list[tuple[int, dict[str, object]]]:
    assert sheet.problems == ()
    return [(row.line, dict(row.cells)) for row in sheet.rows]


@pytest.mark.parametrize(("name", "text"), [
    ("a.csv", "prompt,bpm\r\ncalm,90\r\n\r\nfunk,\r\n"),
    ("a.csv", "\ufeffprompt;bpm\ncalm;90\n;\nfunk;\n"),
    ("a.tsv", "prompt\tbpm\ncalm\t90\n\t\nfunk\t\n"),
])  # fmt: skip
def test_a_csv_is_read_however_a_spreadsheet_writes_it(tmp_path: Path, name: str, text: str) -> None:
    expected = [(2, {"prompt": "calm", "bpm": "90"}), (4, {"prompt": "funk", "bpm": ""})]
    assert rows(sheet_of(tmp_path, name, text)) == expected


def test_a_quoted_cell_may_span_lines_and_the_line_of_a_row_is_its_first(tmp_path: Path) -> None:
    text = 'prompt,bpm\n"calm,\nslow",60\nfunk,100\n'
    assert [line for line, _ in rows(sheet_of(tmp_path, "a.csv", text))] == [2, 4]


def test_only_line_ends_end_a_row(tmp_path: Path) -> None:
    odd = "calm\u2028slow\x0bpiano"
    assert rows(sheet_of(tmp_path, "a.csv", f"prompt,bpm\n{odd},60\n")) == [(2, {"prompt": odd, "bpm": "60"})]
    assert rows(sheet_of(tmp_path, "a.txt", f"{odd}\r\nfunk\r\n")) == [(1, {"prompt": odd}), (2, {"prompt": "funk"})]


def test_json_lines_are_objects_or_prompts(tmp_path: Path) -> None:
    found = rows(sheet_of(tmp_path, "a.jsonl", '{"prompt": "calm", "bpm": 90}\n\n"funk"\n'))
    assert found == [(1, {"prompt": "calm", "bpm": 90}), (3, {"prompt": "funk"})]


def test_yaml_rows_know_their_lines(tmp_path: Path) -> None:
    found = rows(sheet_of(tmp_path, "a.yaml", "# scenes\n- prompt: calm\n  bpm: 90\n- funk\n"))
    assert found == [(2, {"prompt": "calm", "bpm": 90}), (4, {"prompt": "funk"})]


def test_plain_lines_are_prompts_but_for_remarks(tmp_path: Path) -> None:
    assert rows(sheet_of(tmp_path, "a.txt", "# mine\n calm \n\nfunk")) == [
        (2, {"prompt": "calm"}),
        (4, {"prompt": "funk"}),
    ]


@pytest.mark.parametrize(("name", "text", "problems"), [
    ("a.csv", "prompt\ncalm\nfunk, fast\nbeat, slow\n", {3: "has 2 cells, but the header has 1", 4: "has 2 cells"}),
    ("a.csv", 'prompt\ncalm\n"funk\n', {3: "is not CSV"}),
    ("a.jsonl", '{"prompt": "a"}\n{"prompt"\n[1]\n',
     {2: "is not JSON: Expecting ':' delimiter at column 10", 3: "must be a prompt or fields"}),
    ("a.jsonl", "[" * 100_000, {1: "nested too deeply"}),
    ("a.yaml", "- calm\n- 3\n- [x]\n", {2: "must be a prompt", 3: "must be a prompt"}),
    ("a.yaml", "prompt: calm\n", {1: "must be a list of rows"}),
    ("a.yaml", "- calm\n- {a: [}\n", {2: "is not YAML"}),
    ("a.yaml", "- !!python/object:os.system {}\n", {1: "is not YAML"}),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_lines(tmp_path: Path, name: str, text: str, problems: dict[int, str]) -> None:
    found = sheet_of(tmp_path, name, text).problems
    assert [problem.line for problem in found] == list(problems)
    for problem in found:
        assert problems[problem.line] in problem.text


@pytest.mark.parametrize(("name", "content", "words"), [
    ("a.txt", b"", "it contains no rows"),
    ("a.csv", b"prompt\n", "it contains no rows"),
    ("a.yaml", b"", "it contains no rows"),
    ("a.txt", b"calm\n\xff\xfe\n", "UTF-8, which line 2 is not"),
    ("a.xlsx", b"PK", "say --as csv|jsonl|yaml|lines"),
    ("a.ODS", b"PK", 'save it as "CSV UTF-8" in a spreadsheet'),
    ("a.dat", b"x", "unknown format; say --as csv|jsonl|yaml|lines"),
    ("a.txt", b"x\n" * 20_001, "at most 20000 rows"),
])  # fmt: skip
def test_a_file_that_is_no_sheet_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequest, match=words.replace("|", r"\|")):
        read_sheet(str(tmp_path / name))


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InvalidRequest, match="cannot read"):
            read_sheet(str(path), "csv")


def test_the_form_may_be_said(tmp_path: Path) -> None:
    assert rows(sheet_of(tmp_path, "a.dat", '"calm"', "jsonl")) == [(1, {"prompt": "calm"})]
    with pytest.raises(InvalidRequest, match="as: must be csv, jsonl"):
        read_sheet("a.dat", "xml")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize(("name", "text"), [
    ("a.csv", "prompt;duration\r\nKlavier für später;3\r\n"),
    ("a.txt", "prompt\tduration\r\nKlavier für später\t3\r\n"),
    ("a.txt", "prompt,duration\nKlavier für später,3\n"), ("a.tsv", "prompt\tduration\rKlavier für später\t3\r"),
    ("a.csv", "sep=;\r\nprompt;duration\r\nKlavier für später;3\r\n"),
    ("a.csv", "prompt,duration\rKlavier für später,3"),
    ("a.jsonl", '\r{"prompt": "Klavier für später", "duration": "3"}\r'),
    ("a.yaml", '\n- {"prompt": "Klavier für später", "duration": "3"}\n'),
])  # fmt: skip
def test_every_marked_encoding_line_end_and_delimiter_gives_the_same_row(
    tmp_path: Path, name: str, text: str, encoding: str
) -> None:
    mark = "\ufeff" if encoding.endswith(("-le", "-be")) else ""
    (tmp_path / name).write_bytes((mark + text).encode(encoding))
    line = 3 if text.startswith("sep=") else 2
    assert rows(read_sheet(str(tmp_path / name))) == [(line, {"prompt": "Klavier für später", "duration": "3"})]


@pytest.mark.parametrize(("content", "words"), [
    ("prompt;duration\r\nKlavier für später;3\r\n".encode("cp1252"), "which line 2 is not; save it as \"CSV UTF-8\""),
    ("prompt\rcalm\rfür\r".encode("mac-roman"), "which line 3 is not"),
    ("プロンプト,長さ\r\n".encode("shift-jis"), "which line 1 is not"),
    ("prompt\r\ncalm\r\n".encode("utf-16-le"), "zero bytes, as in UTF-16 without a mark; save it as"),
    (b"\xff\xfep\0r\0o", "must be text in UTF-16-LE, which line 1 is not"),
])  # fmt: skip
def test_another_encoding_is_refused_with_what_to_save_it_as(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InvalidRequest, match=words):
        read_sheet(str(tmp_path / "a.csv"))


def test_each_line_of_an_old_mac_is_a_piece(tmp_path: Path) -> None:
    found = rows(sheet_of(tmp_path, "a.txt", "calm piano\rlofi beat\r\nfunk\njazz\r"))
    assert found == [
        (line, {"prompt": text}) for line, text in enumerate(("calm piano", "lofi beat", "funk", "jazz"), 1)
    ]


@pytest.mark.parametrize(
    "text", ["calm; slow\nprompt\n", "a prompt, with commas\n", "duration\tlong\n", "prompt\ncalm\n"]
)
def test_prompts_with_delimiters_are_no_table(tmp_path: Path, text: str) -> None:
    lines = text.splitlines()
    assert [row["prompt"] for _, row in rows(sheet_of(tmp_path, "a.txt", text))] == lines
    assert [row["prompt"] for _, row in rows(sheet_of(tmp_path, "b.txt", "prompt,key\n", "lines"))] == ["prompt,key"]


def test_empty_cells_behind_the_last_column_are_nothing(tmp_path: Path) -> None:
    assert rows(sheet_of(tmp_path, "a.csv", "prompt;bpm\ncalm;90;;\n")) == [(2, {"prompt": "calm", "bpm": "90"})]
