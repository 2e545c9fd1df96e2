"""README and tutorial, read in order by somebody who has run the blocks before and nothing else: all is there."""

from __future__ import annotations

import ast
import re
import shlex
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from typing import Any

import pytest
from doc_pages import ROOT, read_page
from shell_commands import Fence, commands, fences

from tunesmith.cli import COMMANDS, insert_default_command
from tunesmith.cli.app import root_command
from tunesmith.cli.arguments import option_names, with_aliases

CLI = root_command()
OF_THE_SYSTEM = {"make", "curl", "node", "npm", "mkdir", "cd"}
"""What a page may take for granted, and says so: a shell, make, curl, Node."""

IN_THE_ENVIRONMENT = {"tunesmith", "python", "pip"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = ("README.md", "docs/tutorial.md")


distributions_of_modules = cache(packages_distributions)


class Reader:
    """Somebody who runs the blocks of a page, one after another."""

    def __init__(self) -> None:
        self.programs = set(OF_THE_SYSTEM)
        self.files = {"Makefile", "constraints.txt", "clients/js"}
        self.packages = {"tunesmith"}
        self.modules: set[str] = set()
        self.folder = ""

    def read(self, fence: Fence) -> None:
        if fence.language == "sh":
            for words in commands(fence.code):
                self.run(words)
        elif fence.language == "python":
            self.imports(fence.code)
        elif fence.language == "js":
            needed = set(re.findall(r'from "([^"]+)"', fence.code))
            assert {name for name in needed if not name.startswith("node:")} <= self.modules, needed

    def run(self, words: list[str]) -> None:
        program, *arguments = words
        if program == ".":
            assert arguments == [".venv/bin/activate"]
            assert ".venv" in self.files, "nothing has made .venv"
            self.programs |= IN_THE_ENVIRONMENT
            return
        assert program in self.programs, f"{program}: no block before gives this command"
        if program == "make":
            assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
            self.files.add(".venv")
            self.packages |= {name_of(one) for one in PROJECT["dependencies"]}
        elif program == "pip":
            self.packages |= {name_of(one) for one in arguments[1:]}
        elif program == "npm":
            self.installs_a_module(arguments)
        elif program in ("cd", "mkdir"):
            self.folder = arguments[-1]
        elif program == "tunesmith":
            check_command(arguments)

    def installs_a_module(self, arguments: list[str]) -> None:
        assert arguments[0] == "install"
        assert arguments[1] == ("../" if self.folder else "./") + "clients/js"
        self.modules.add("tunesmith")

    def imports(self, code: str) -> None:
        found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in found if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in found if isinstance(node, ast.ImportFrom)}
        provided = distributions_of_modules()
        for module in {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names):
            assert self.packages & {name_of(one) for one in provided.get(module, [module])}, (
                f"{module} is not installed"
            )


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return (found[0] if found else requirement).lower().replace("_", "-")


def check_command(arguments: list[str]) -> None:
    """See that a command of ours and its options exist."""
    given = with_aliases(insert_default_command(arguments), CLI)
    assert given[0] in COMMANDS, given[0]
    command: Any = CLI
    for word in given:
        command = getattr(command, "commands", {}).get(word, command)
    short = {name for param in command.params for name in param.opts if not name.startswith("--")}
    options = {word.partition("=")[0] for word in given[1:] if word.startswith("-") and word != "-"}
    assert options <= {*option_names(command), *short}, options


def read_in_order(page: str) -> Reader:
    reader = Reader()
    for fence in fences(page):
        reader.read(fence)
    return reader


BEGUN = "```sh\nmake music\n. .venv/bin/activate\n"


@pytest.mark.parametrize("page", PAGES)
def test_every_block_needs_only_what_the_blocks_before_it_gave(page: str) -> None:
    assert len(fences(read_page(page))) > 10
    reader = read_in_order(read_page(page))
    assert {"tunesmith", "python"} <= reader.programs


@pytest.mark.parametrize(("blocks", "words"), [
    ("```sh\nmake music\ntunesmith calm\n```", "tunesmith: no block before"),
    ("```sh\n. .venv/bin/activate\n```", "nothing has made .venv"),
    (f"{BEGUN}```\n\n```python\nfrom replicate import Client\n```", "replicate is not"),
    (f"{BEGUN}tunesmith calm --nonsense 3\n```", "--nonsense"),
    ('```js\nimport { Tunesmith } from "tunesmith";\n```', "tunesmith"),
])  # fmt: skip
def test_a_page_that_forgets_something_would_be_found(blocks: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        read_in_order(blocks)


POWERSHELL = [(page.relative_to(ROOT).as_posix(), fence.code) for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]
              for fence in fences(page.read_text(encoding="utf-8")) if fence.language == "powershell"]  # fmt: skip


@pytest.mark.parametrize("page", [
    "README.md", "docs/tutorial.md", "docs/deployment.md", "docs/windows.md", "docs/http-api.md",
    "docs/hosted-models.md", "docs/batch.md", "docs/replicate.md",
])  # fmt: skip
def test_powershell_is_shown_where_it_differs(page: str) -> None:
    assert [code for name, code in POWERSHELL if name == page]


@pytest.mark.parametrize("code", [code for _, code in POWERSHELL], ids=[page for page, _ in POWERSHELL])
def test_powershell_blocks_have_commands_that_exist_and_no_words_of_a_unix_shell(code: str) -> None:
    assert not re.search(r"^export |\\$|^[A-Z_]+=|-d '|\bsudo\b|/bin/", code, flags=re.MULTILINE)
    for line in code.splitlines():
        words = shlex.split(line.replace("\\", "/"))
        if words[0].endswith("tunesmith"):
            check_command(words[1:])
        for value in re.findall(r"[-]Argument \"([^\"]+)\"", line):
            check_command(value.split())
    for quoted in re.findall(r"@\{.*?\}", code):
        assert "'" not in quoted


def test_the_files_of_settings_are_where_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = pytest.importorskip("platformdirs.windows")
    monkeypatch.setattr(windows, "get_win_folder", lambda name: f"%{name.removeprefix('CSIDL_')}%")
    folder = windows.Windows("tunesmith").user_config_dir.replace("/", "\\")
    assert folder == r"%LOCAL_APPDATA%\tunesmith\tunesmith"
    assert r"%LOCALAPPDATA%\tunesmith\tunesmith\config.toml" in read_page("docs/windows.md")
