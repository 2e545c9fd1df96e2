"""Paths as text: every name comes back to the byte, and the text goes through JSON and UTF-8."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest
from budgets import VALUES
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.cli.console import CONSOLE_ERRORS, prepare_streams
from tunesmith.plain_text import is_text, path_of, path_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names are text on Windows")


@VALUES
@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_every_name_of_bytes_comes_back(name: bytes) -> None:
    path = Path(os.fsdecode(name))
    text = path_text(path)
    assert is_text(text)
    assert path_of(json.loads(json.dumps(text).encode())) == path


@pytest.mark.parametrize("text", ["song.wav", "/a b/ü.wav", "100%.wav", "a%20b", "C:\\x"])
def test_an_ordinary_path_is_its_own_text(text: str) -> None:
    assert path_text(Path(text)) == text
    assert path_of(text) == Path(text)


def test_a_name_that_looks_like_the_text_of_another_is_kept_apart() -> None:
    assert path_of(path_text(Path("file:caf%E9"))) == Path("file:caf%E9")
    assert path_text(Path(os.fsdecode(b"caf\xe9"))) == "file:caf%E9"


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", b"caf\xe9 \xc3\xbc ?"), ("latin-1", b"caf\xe9 \xfc ?")])
def test_a_console_gets_the_bytes_of_a_name(encoding: str, shown: bytes) -> None:
    prepare_streams()
    raw = io.BytesIO()
    console = io.TextIOWrapper(raw, encoding, errors=CONSOLE_ERRORS)
    console.write(f"{os.fsdecode(b'caf' + bytes([0xE9]))} ü \ud800")
    console.flush()
    assert raw.getvalue() == shown
