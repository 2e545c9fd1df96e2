"""How extras are installed: by their packages, and nowhere by the project's name, which anybody may register."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.extras import install_command, packages_of

ROOT = Path(__file__).parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".js", ".mjs", ".html", ".json", ".txt", ""}
BY_NAME = re.compile(r"""(?:pip3?|pipx|uv|uvx)\s+(?:tool\s+|pip\s+)?(?:install|run|download)\s[^\n|`]*?
                         (?<![\w/.-])['"]?tunesmith(?:\[[\w,]+\])?(?:['"`\s;,.=<>)]|$)""", re.VERBOSE)  # fmt: skip


def texts() -> Iterator[Path]:
    for folder in ("src", "docs", "examples", "benchmarks", "tools", "clients", ".github", ".ci"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in SUFFIXES and path.is_file() and "node_modules" not in path.parts:
                yield path
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in SUFFIXES)


@pytest.mark.parametrize("extra", [name for name in EXTRAS if name != "test"])
def test_an_extra_is_installed_by_its_packages(extra: str) -> None:
    names = {re.match(r"[\w.-]+", package)[0].lower() for package in EXTRAS[extra]}  # type: ignore[index]
    assert {re.match(r"[\w.-]+", package)[0].lower() for package in packages_of(extra)} == names  # type: ignore[index]
    assert install_command(extra).startswith('pip install "')
    assert "tunesmith" not in install_command(extra)


def test_without_packages_the_source_is_named() -> None:
    assert install_command("nothing") == 'pip install ".[nothing]" in the folder of the source'


@pytest.mark.parametrize("text", [
    "pip install tunesmith", "pip install 'tunesmith[cuda]'", "/opt/x/bin/pip install --upgrade tunesmith==1",
    "uv pip install tunesmith", "pipx install tunesmith.", 'pip install "tunesmith[postgres]"',
])  # fmt: skip
def test_an_install_by_name_would_be_found(text: str) -> None:
    assert BY_NAME.search(text)


@pytest.mark.parametrize("text", [
    "pip install .", "pip install dist/tunesmith-0.1.0-py3-none-any.whl", "pip install '/src/tunesmith[redis]'",
])  # fmt: skip
def test_an_install_from_a_folder_or_a_wheel_is_no_install_by_name(text: str) -> None:
    assert not BY_NAME.search(text)


def test_nothing_says_to_install_this_project_by_its_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts()
        for match in BY_NAME.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found
