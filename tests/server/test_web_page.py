"""The studio's files: the bare address for browsers and programs, and a policy that lets nothing else in."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from live_server import served

import tunesmith
from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import TokenRequest, Tokens
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.web_page import CHECKOUT, WEB

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
IMPORTED = re.compile(r"""(?:from|import) "(\.[^"]+)";""")
LATER = re.compile(r'import\("([^"]+)"\)')
"""The modules that are imported when they are needed."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that wants a token."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    database = open_database(settings)
    Tokens(database).create(TokenRequest("x"))
    database.close()
    with served(create_app(settings, ServerOptions(host="127.0.0.1"))) as url:
        yield url


def test_a_browser_gets_the_studio_at_the_bare_address(url: str) -> None:
    page = httpx.get(url, headers={"accept": BROWSER}).raise_for_status()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert {"Accept", "Accept-Encoding"} <= set(page.headers["vary"].split(", "))
    assert "<title>Tunesmith studio</title>" in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_program_reads_there_what_answers_and_where_to_look(url: str, accept: str) -> None:
    about = httpx.get(url, headers={"accept": accept}).raise_for_status().json()
    assert (about["name"], about["version"]) == ("tunesmith", tunesmith.__version__)
    for place in ("docs", "openapi", "health"):
        assert httpx.get(url + about[place]).status_code == 200
    assert httpx.get(url + about["models"]).status_code == 401


def test_every_file_that_the_page_and_its_modules_name_is_there(url: str) -> None:
    page = httpx.get(url, headers={"accept": BROWSER}).text
    left = [urljoin(f"{url}/", name) for name in re.findall(r'(?:src|href)="(studio/[^"]+)"', page)]
    seen: dict[str, str] = {}
    while left:
        address = left.pop()
        if address in seen:
            continue
        answer = httpx.get(address).raise_for_status()
        seen[address] = answer.headers["content-type"]
        if address.endswith(".js"):
            left += [urljoin(address, name) for name in (*IMPORTED.findall(answer.text), *LATER.findall(answer.text))]
    modules = {path.name for path in (WEB / "modules").rglob("*.js")} - {"types.js"}
    assert modules <= {address.rpartition("/")[2] for address in seen}
    assert f"{url}/studio/js/src/client.js" in seen
    assert {seen[address] for address in seen if address.endswith(".js")} == {"text/javascript; charset=utf-8"}


def test_the_page_names_every_module_that_is_imported_and_no_other(url: str) -> None:
    page = httpx.get(url, headers={"accept": BROWSER}).text
    named = {urljoin(f"{url}/", name) for name in re.findall(r'rel="modulepreload" href="([^"]+)"', page)}
    imported, left = set(), [f"{url}/studio/modules/main.js"]
    while left:
        address = left.pop()
        if address not in imported:
            imported.add(address)
            left += [urljoin(address, name) for name in IMPORTED.findall(httpx.get(address).text)]
    assert named == imported


def test_scripts_are_sent_without_their_documentation_line_by_line(url: str) -> None:
    for path in (WEB / "modules").glob("*.js"):
        source, sent = (
            path.read_text(encoding="utf-8").splitlines(),
            httpx.get(f"{url}/studio/modules/{path.name}").text,
        )
        lines = sent.splitlines()
        assert len(lines) == len(source), path
        for line, own in zip(lines, source, strict=True):
            # A line that went was of a comment, and no line of a comment is left but casts within code.
            assert line == own or (not line and own.strip().startswith(("/**", "*"))), path
            assert not line.strip().startswith("* @"), path


def test_a_file_is_sent_again_only_if_it_has_changed(url: str) -> None:
    first = httpx.get(f"{url}/studio/modules/main.js")
    assert first.headers["cache-control"] == "no-cache"
    again = httpx.get(f"{url}/studio/modules/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_text_is_compressed_for_those_who_take_it(url: str) -> None:
    with httpx.stream("GET", f"{url}/studio/modules/main.js", headers={"accept-encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert gzip.decompress(packed) == httpx.get(f"{url}/studio/modules/main.js").content
    plain = httpx.get(f"{url}/studio/modules/main.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    font = httpx.get(f"{url}/studio/fonts/tunesmith-serif.woff2")
    assert (font.headers["content-type"], "content-encoding" in font.headers) == ("font/woff2", False)


@pytest.mark.parametrize("path", [
    "nothing.js", "modules", "", "../server/app.py", "%2e%2e/server/app.py", "js/src/../../../README.md",
    "js/package.json", "js/src/%2e%2e/%2e%2e/js/LICENSE", "/etc/passwd", "modules/..%2f..%2f__init__.py", "C:/x.js",
])  # fmt: skip
def test_nothing_else_is_served(url: str, path: str) -> None:
    assert httpx.get(f"{url}/studio/{path}").status_code == 404


def test_the_client_of_a_checkout_is_the_one_that_is_developed() -> None:
    assert (CHECKOUT / "js" / "src" / "client.js").is_file()
    assert not (Path(WEB) / "js").exists()
