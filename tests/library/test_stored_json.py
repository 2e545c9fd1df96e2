"""Columns of JSON are read so that every value can be shown."""

from __future__ import annotations

import json

import budgets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.library.database import read_column

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(st.none() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))


@budgets.VALUES
@given(VALUES)
def test_whole_text_comes_back_as_it_was(value: object) -> None:
    assert read_column(json.dumps(value)) == value


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    stored = json.dumps({"a": ["x\ud800", "🎷"], "\udfff": "\ude00\ud83d"})
    assert read_column(stored) == {"a": ["x\ufffd", "🎷"], "\ufffd": "\ufffd\ufffd"}
    assert json.dumps(read_column(stored.encode()), ensure_ascii=False).encode()


@pytest.mark.parametrize("damaged", ["", "{", b"\xff", "[" * 100_000])
def test_what_is_not_json_is_nothing(damaged: str | bytes) -> None:
    assert read_column(damaged) is None
