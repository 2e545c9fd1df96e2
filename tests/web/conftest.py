"""The studio in a browser, against a server as people start it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import PATIENCE_MS, opened
from playwright.sync_api import Browser, Page, expect
from started_server import StartedServer, started
from studio_page import opened_page


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
    with opened_page(browser, server.url, complaints) as page:
        yield page
