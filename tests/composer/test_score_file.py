"""A score written as a document and read back is the same score; a mistake is named by line, part and beat."""

from __future__ import annotations

import dataclasses
import itertools
import time

import pytest
from budgets import PROMPTS, SCORES
from hypothesis import given, strategies
from pieces import scores, small_score

from tunesmith.composer.score import Score
from tunesmith.composer.score_file import dump_score, load_score
from tunesmith.errors import InvalidScore

DOCUMENT = dump_score(small_score())
DEEP_LIST, DEEP_MAP, DEEP_BLOCK = "[" * 200_000, "{a: " * 200_000, "- " * 200_000
SCRAPS = (
    "",
    "9" * 5000,
    "--2",
    "-1",
    "0",
    ".nan",
    "1e400",
    "²",
    "\ufeff",
    "[",
    "}",
    "&a",
    "*a",
    "\t",
    "é",
    "bars: ",
    "null",
)


@SCORES
@given(scores())
def test_reading_back_what_was_written_gives_the_same_score(score: Score) -> None:
    assert load_score(dump_score(score)) == score


def test_writing_what_was_read_gives_the_same_document() -> None:
    assert dump_score(load_score(DOCUMENT)) == DOCUMENT


def test_meters_move_with_the_sections_in_which_they_change() -> None:
    document = (
        "key: C major\nmeter: 4/4\nmeters: {3: 3/4}\ntempo: 120\n"
        "parts:\n- {name: a, role: melody, instrument: flute, notes: {1: 1 C5 1 80}}\n"
    )
    sections = "sections:\n- {name: A, bars: 2}\n- {name: B, bars: 2}\n- A\n"
    changes = load_score(document + sections).meter_changes
    assert [(at, str(meter)) for at, meter in changes] == [(8.0, "3/4"), (16.0, "4/4")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2.5 C5 0.5 80 -2", "2.5 H5 0.5 80", "part melody, beat 2.5 of bar 1: 'H5' is not a pitch"),
        ("2.5 C5 0.5 80 -2", "2.5 C5 0.5 200", "velocity must be a whole number from 1 to 127, got 200"),
        ("2.5 C5 0.5 80 -2", "5 C5 0.5 80", "beat must be 1 to less than 5 in this meter, got 5"),
        ("2.5 C5 0.5 80 -2", "2.5 C5 -1 80", "length must be above 0, got -1"),
        ("2.5 C5 0.5 80 -2", "2.5 C5", "must be 'beat pitch length velocity [glide]'"),
        ("kick", "kik", "part drums, beat 1 of bar 1: 'kik' is not a drum"),
        ("instrument: flute", "instrument: flut", "instrument cannot be 'flut'; did you mean flute?"),
        ("role: melody", "roles: melody", "unknown field 'roles'; did you mean role?"),
        ("meter: 4/4", "meter: 4/3", "is not a meter"),
        ("key: A minor", "key: H minor", "key: 'H minor' is not a key"),
        ("tempo: 90.0", "tempo: fast", "tempo must be a number from 10 to 999, got 'fast'"),
        ("tempo: 90.0", "tempo: .nan", "tempo must be a number"),
        ("bars: 1,", "bars: 0,", "bars must be a whole number from 1 to 10000, got '0'"),
        ("duration: 6.5", "duration: 99999", "duration must be a number from 0.1 to 1800, got '99999'"),
        ("name: drums", "name: melody", "two parts called 'melody'"),
        ("Am7", "Xm7", "'Xm7' is not a chord"),
        ("name: rain", "name: rian", "name cannot be 'rian'; did you mean rain?"),
        ("[tape, wow]", "[tape, wov]", "production cannot be 'wov'; did you mean wow?"),
        ("title:", "title: [", "not YAML"),
        ("bars: 1,", f"bars: {'9' * 5000},", "bars must be a whole number from 1 to 10000"),
        ("bars: 1,", "bars: --2,", "bars must be a whole number from 1 to 10000, got '--2'"),
        ("tempo: 90.0", "tempo: {1: 90, 1 beat 9: 80}", "tempo: beat must be 1 to less than 5, got 9"),
        ("tempo: 90.0", "meters: {1 beat 3: 3/4, 1: 6/8}\ntempo: 90", "meters: must be in ascending order"),
        ("tempo: 90.0", "meters: {900: 3/4}\ntempo: 90", "bar must be"),
        ("tempo: 90.0", "tempo: {1: 90, [1]: 80}", "a name in tempo must be a single value"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, message: str) -> None:
    assert old in DOCUMENT
    with pytest.raises(InvalidScore) as caught:
        load_score(DOCUMENT.replace(old, new, 1))
    line = next(number for number, text in enumerate(DOCUMENT.splitlines(), 1) if old in text)
    assert message in str(caught.value)
    assert f"line {line}" in str(caught.value) or "not YAML" in message or "two parts" in message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "just words", "- 1\n- 2", "{", "key: C", "\x00", "a: &x [*x]", DEEP_LIST, DEEP_MAP, DEEP_BLOCK]
)
def test_what_is_no_score_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidScore) as caught:
        load_score(text)
    assert "\n" not in str(caught.value)


def test_a_document_of_the_required_fields_alone_is_enough() -> None:
    score = load_score(
        "key: C\nmeter: 3/4\ntempo: 120\nsections: [{name: A, bars: 2}]\n"
        "parts:\n- {name: x, role: melody, instrument: piano, notes: {1: 1 C4 1 90, 2: 1 E4 3 90}}\n"
    )
    assert score.duration == pytest.approx(2 * 3 * 0.5 + 2)
    assert [note.start for note in score.parts[0].notes] == [0, 3]


@PROMPTS
@given(strategies.data())
def test_whatever_is_done_to_a_document_it_is_a_score_or_an_invalid_score(data: strategies.DataObject) -> None:
    text = DOCUMENT
    for _ in range(data.draw(strategies.integers(1, 3))):
        start = data.draw(strategies.integers(0, len(text)))
        stop = data.draw(strategies.integers(start, min(len(text), start + 12)))
        scrap = data.draw(strategies.sampled_from(SCRAPS) | strategies.text(max_size=4))
        text = text[:start] + scrap + text[stop:]
    problem = ""
    try:
        load_score(text)
    except InvalidScore as error:
        problem = str(error)
    assert "\n" not in problem
    assert len(problem) < 500


def test_a_prompt_of_a_no_break_space_comes_back() -> None:
    score = dataclasses.replace(small_score(), prompt="\xa0", title="\u3000x\u2003")
    assert load_score(dump_score(score)) == score


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert load_score("\ufeff" + DOCUMENT.replace("\n", "\r\n")) == load_score(DOCUMENT)


def test_aliases_repeat_a_bar_but_cannot_fill_the_memory() -> None:
    head = "key: C\nmeter: 2/4\ntempo: 240\nsections: [{name: A, bars: 2000}]\nparts:\n"
    part = "- {name: x, role: melody, instrument: piano, notes: {1: &bar "
    bars = ", ".join(f"{bar}: *bar" for bar in range(2, 2001))
    assert len(load_score(f'{head}{part}"1 C4 1 90", {bars}}}}}').parts[0].notes) == 2000
    with pytest.raises(InvalidScore, match="its aliases make it larger than 200000 characters"):
        load_score(f'{head}{part}"{", ".join(["1 C4 1 90"] * 1000)}", {bars}}}}}')
    with pytest.raises(InvalidScore, match="notes must be at most 200000"):
        load_score(f'{head}{part}"1 C4 1 90", 2: "{", ".join(["1 C4 1 90"] * 200_000)}"}}}}')


def test_parts_that_alias_one_list_of_notes_are_measured_as_if_written_out() -> None:
    head = "key: C\nmeter: 2/4\ntempo: 240\nsections: [{name: A, bars: 2}]\nparts:\n"
    notes = ", ".join(["1 C4 1 90"] * 1000)
    first = f'- {{name: p0, role: melody, instrument: piano, notes: &all {{1: "{notes}"}}}}\n'
    others = [f"- {{name: p{number}, role: melody, instrument: piano, notes: *all}}\n" for number in range(1, 200)]
    few = load_score(head + first + "".join(others[:3]))
    assert [len(part.notes) for part in few.parts] == [1000] * 4
    began = time.process_time()
    with pytest.raises(InvalidScore, match=r"line \d+: its aliases make it larger than 200000 characters"):
        load_score(head + first + "".join(others))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("bomb", [
    "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n" for before, after in itertools.pairwise("abcdefghijk")
    ),
    "a: &a {b: [*a]}", "a: &a\n- *a", "a: *b",
])  # fmt: skip
def test_aliases_of_aliases_and_of_themselves_are_refused(bomb: str) -> None:
    with pytest.raises(InvalidScore, match=r"larger than 200000 characters|contains itself|undefined alias"):
        load_score(bomb)
