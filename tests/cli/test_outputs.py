"""Names of files and the word that is left out of the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.cli import insert_default_command
from tunesmith.output_files import reserve_path, with_suffix_word


def test_a_taken_name_gets_a_number_and_is_held_until_the_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with reserve_path(tmp_path / "a.wav") as first, reserve_path(tmp_path / "a.wav") as second:
        assert (first.name, second.name) == ("a-2.wav", "a-3.wav")
    with pytest.raises(KeyboardInterrupt), reserve_path(tmp_path / "a.wav") as third:
        raise KeyboardInterrupt
    assert not third.exists()
    assert with_suffix_word(Path("a.wav"), "") == Path("a.wav")


@pytest.mark.parametrize(("given", "full"), [
    (["calm piano"], ["generate", "calm piano"]), (["-o", "a.wav", "x"], ["generate", "-o", "a.wav", "x"]),
    (["genres"], ["genres"]), (["--version"], ["--version"]), ([], ["--help"]), (["render", "x"], ["render", "x"]),
])  # fmt: skip
def test_generate_is_put_in_where_no_command_is_named(given: list[str], full: list[str]) -> None:
    assert insert_default_command(given) == full
