"""Commands in the blocks of a page, told apart as far as pages need it: words, pipes, lists and assignments."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

FENCED = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", flags=re.DOTALL | re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=\S*")


@dataclass(frozen=True)
class Fence:
    """A block of a page, with the number of the character it begins at."""

    language: str
    code: str
    start: int


def fences(page: str) -> list[Fence]:
    """Return all blocks of a page in their order."""
    return [Fence(one["language"], one["code"], one.start()) for one in FENCED.finditer(page)]


def commands(code: str) -> Iterator[list[str]]:
    """Yield the commands of a shell block as words, without assignments before them."""
    joined = code.replace("\\\n", " ")
    for line in joined.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        words: list[str] = []
        for token in [*lexer, ";"]:
            if set(token) <= set("|;&"):
                if words:
                    yield words
                words = []
            elif words or not _ASSIGNMENT.fullmatch(token):
                words.append(token)
