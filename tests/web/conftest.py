"""The studio in a browser, against a server as people start it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import live_generators
import pytest
from browser import PATIENCE_MS, opened
from playwright.sync_api import Browser, Page, expect
from started_server import StartedServer, started
from studio_page import new_window, opened_page, reopened_page

HERE = Path(__file__).parent
_running = ExitStack()
_browsers: list[Browser] = []
_windows: list[Page] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """Close the browser where the next test is not one of the studio.

    Its event loop runs on between the tests that share it, which would let no other test run one.
    """
    try:
        return (yield)
    finally:
        if nextitem is None or HERE not in nextitem.path.parents:
            _browsers.clear()
            _windows.clear()
            _running.close()


@pytest.fixture(scope="module")
def browser() -> Browser:
    """Give the browser of all tests of the studio that follow each other."""
    if not _browsers:
        expect.set_options(timeout=PATIENCE_MS)
        _browsers.append(_running.enter_context(opened()))
    return _browsers[0]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    """Give the server of all tests of the studio; those that count what is in its library start one of their own."""
    with started(tmp_path_factory.mktemp("data"), composer_processes="1") as server:
        yield server


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    """Give a server with a model that plays live."""
    folder = tmp_path_factory.mktemp("live")
    with ExitStack() as running:
        # Other servers that the tests here start have no such model.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", live_generators.install(folder / "site", ["Sines"]))
            process = running.enter_context(started(folder / "data", composer_processes="1"))
        yield process


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of; each test of a page that should be quiet asserts that it is empty."""
    return []


@pytest.fixture(scope="module")
def window(browser: Browser) -> Page:
    """Give the window of one test after another, since a new one and its empty cache cost a second of work."""
    if not _windows:
        _windows.append(_running.enter_context(new_window(browser)))
    return _windows[0]


@pytest.fixture
def page(window: Page, server: StartedServer, complaints: list[str]) -> Iterator[Page]:
    """Give the studio as who comes for the first time sees it."""
    with reopened_page(window, server.url, complaints) as page:
        yield page


@pytest.fixture
def new_page(browser: Browser, server: StartedServer, complaints: list[str]) -> Iterator[Page]:
    """Give the studio in a window for one test, which changes what no reload brings back, such as the clock."""
    with opened_page(browser, server.url, complaints) as page:
        yield page
