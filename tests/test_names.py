"""Names: a word has one meaning, and no private words stand for the field's own; docs/architecture.md lists them."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import tunesmith

SOURCE = Path(tunesmith.__file__).parent
BANNED = frozenset(
    [
        "made",
        "told",
        "asked",
        "said",
        "wish",
        "wishes",
        "news",
        "orders",
        "maker",
        "standing",
        "doubts",
        "diary",
        "outlook",
        "piece",
        "hand",
        "whoever",
    ]
)
NAMES_OF_LIBRARIES = ("connection_made",)  # asyncio calls it
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def test_no_file_class_or_function_has_a_banned_word_in_its_name() -> None:
    named = [
        f"{path.relative_to(SOURCE)}: {one.name}"
        for path, module in modules()
        for one in ast.walk(module)
        if isinstance(one, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and words(one.name) & BANNED and one.name not in NAMES_OF_LIBRARIES
    ]  # fmt: skip
    assert named == []
    assert [path.name for path, _ in modules() if words(path.stem) & BANNED] == []


def test_no_class_name_is_defined_twice() -> None:
    found = Counter(one.name for _, module in modules() for one in ast.walk(module) if isinstance(one, ast.ClassDef))
    assert [name for name, times in found.items() if times > 1] == []


def test_few_files_are_too_small_to_be_one_and_none_is_too_large() -> None:
    sizes = {path: path.read_text(encoding="utf-8").count("\n") for path, _ in modules() if path.stem != "__init__"}
    assert len([path for path, lines in sizes.items() if lines < 10]) <= 5
    assert [path.name for path, lines in sizes.items() if lines > 400] == []


def test_the_words_of_a_name_are_found() -> None:
    assert words("HTTPOrders_made2") == {"http", "orders", "made"}
