"""The studio in a browser, against a server as people start it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import PATIENCE_MS, opened
from playwright.sync_api import Browser, Page, expect
from started_server import StartedServer, started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with opened() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    with started(tmp_path_factory.mktemp("data"), composer_processes="1") as server:
        yield server


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of; each test of a page that should be quiet asserts that it is empty."""
    return []


@pytest.fixture
def page(browser: Browser, server: StartedServer, complaints: list[str]) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _note_foreign(request.url, server.url, complaints))
        page.goto(server.url)
        page.wait_for_selector(".dot.ready")
        yield page


def _note_foreign(url: str, own: str, complaints: list[str]) -> None:
    if not url.startswith((own, "blob:", "data:")):
        complaints.append(f"a request to {url}")
