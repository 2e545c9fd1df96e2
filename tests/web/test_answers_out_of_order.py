"""Answers that come late or in another order: what was pressed last is what the page shows, and what the server has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect
from started_server import StartedServer, wait_for
from studio_page import make, opened_page, silent

LISTS = re.compile(r"/api/tracks\?")
TRACK = re.compile(r"/api/tracks/[^/?]+$")
JOB = re.compile(r"/api/jobs/[^/?]+$")
NAMES = ("Slow Jazz Trio", "Calm Harp", "Soft Strings")
IS_NEWEST = """async () => {
  const { Newest } = await import("/studio/modules/newest.js");
  const reads = new Newest(), [first, second] = [reads.begin(), reads.begin()];
  return [first(), second()];
}"""


class Held:
    """Calls whose answers the server has given and the page has not had; ``method`` says which, the others pass."""

    def __init__(self, page: Page, path: re.Pattern[str], method: str = "GET") -> None:
        self._page, self._path, self._method = page, path, method
        self._answers: list[tuple[Route, APIResponse]] = []
        self._holds = True
        page.route(path, self._hold)

    def __len__(self) -> int:
        self._page.evaluate("true")
        return len(self._answers)

    def wait(self) -> None:
        """Wait until one is held."""
        wait_for(lambda: len(self), "a call to be held")

    def release(self) -> None:
        """Give the page its answers, and hold no more."""
        self._holds = False
        while self._answers:
            self.release_one()
        self._page.unroute(self._path)

    def release_one(self, which: int = 0) -> None:
        """Give the page one of its answers, by default that which has waited longest."""
        route, answer = self._answers.pop(which)
        route.fulfill(response=answer)

    def _hold(self, route: Route) -> None:
        if self._holds and route.request.method == self._method:
            self._answers.append((route, route.fetch()))
        else:
            route.continue_()


@pytest.fixture(scope="module")
def three(browser: Browser, server: StartedServer) -> Iterator[Page]:
    """The page of a server with three pieces, for one test after another."""
    with opened_page(browser, server.url) as page:
        for name in NAMES:
            make(page, prompt=f"{name}, 90 bpm".lower(), length="1 bars")
            silent(page)
        page.wait_for_selector("#star:enabled")
        yield page


@pytest.fixture
def listed(three: Page) -> Page:
    """The page with the second piece on its stage; a worker may begin with any test of this file."""
    row(three).click()
    expect(three.locator("#title")).to_have_text(NAMES[1])
    three.wait_for_selector("#star:enabled")
    silent(three)
    return three


def row(page: Page) -> Any:
    return page.locator(".row-item", has_text=NAMES[1]).first


def marked(server: StartedServer) -> dict[str, Any]:
    """Return the second piece as the server has it."""
    which: dict[str, str | int] = {"search": NAMES[1], "limit": 1}
    track: dict[str, Any] = httpx.get(f"{server.url}/api/tracks", params=which).json()["tracks"][0]
    return track


def rate(page: Page, stars: int, tags: str) -> None:
    page.click("#dots")
    page.get_by_role("button", name=f"{stars} of 5").click()
    page.fill("#tags", tags)
    page.keyboard.press("Enter")


def test_marks_are_shown_at_once_and_sent_one_after_another(listed: Page, server: StartedServer) -> None:
    held = Held(listed, TRACK, "PATCH")
    listed.click("#star")
    rate(listed, 4, "level 2, calm")
    listed.click("#star")
    expect(row(listed)).to_contain_text("★★★★ · level 2 · calm")
    for _ in range(4):
        held.wait()
        assert len(held) == 1
        held.release_one()
    held.release()
    expect(row(listed)).to_contain_text("★★★★ · level 2 · calm")
    expect(listed.locator("#star")).to_have_attribute("aria-pressed", "false")
    assert (marked(server)["starred"], marked(server)["rating"]) == (False, 4)
    assert marked(server)["tags"] == ["level 2", "calm"]


def test_a_list_that_was_read_before_a_mark_does_not_undo_it(listed: Page) -> None:
    rate(listed, 2, "before")
    expect(row(listed)).to_contain_text("★★ · before")
    held = Held(listed, LISTS)
    listed.fill("#search", "harp")
    held.wait()
    rate(listed, 5, "after")
    held.release()
    expect(listed.locator(".row-item", has_text=NAMES[0])).to_have_count(0)
    expect(row(listed)).to_contain_text("★★★★★ · after")
    listed.fill("#search", "")
    expect(listed.locator(".row-item", has_text=NAMES[0])).to_have_count(1)
    expect(row(listed)).to_contain_text("★★★★★ · after")


def test_a_list_waits_for_the_marks_that_it_is_of(listed: Page) -> None:
    held = Held(listed, TRACK, "PATCH")
    listed.click("#star")
    listed.click("#filter-starred")
    held.wait()
    held.release()
    expect(listed.locator(".row-item")).to_have_count(1)
    listed.click("#star")
    expect(row(listed)).to_have_count(0)
    listed.click("#filter-all")
    expect(row(listed)).to_be_visible()


def test_a_mark_that_is_refused_gives_way_to_what_was_there(listed: Page) -> None:
    rate(listed, 3, "kept")
    expect(row(listed)).to_contain_text("★★★ · kept")
    rate(listed, 4, "x" * 2_000)
    expect(listed.locator("#banner")).to_contain_text("Tags")
    expect(row(listed)).to_contain_text("★★★★ · kept")
    listed.get_by_role("button", name="Dismiss").click()


def test_two_marks_that_are_refused_give_way_to_what_the_server_has(listed: Page, server: StartedServer) -> None:
    rate(listed, 3, "kept")
    expect(row(listed)).to_contain_text("★★★ · kept")
    held = Held(listed, TRACK, "PATCH")
    for letter in "xy":
        rate(listed, 3, letter * 2_000)
    for _ in range(4):
        held.wait()
        held.release_one()
    held.release()
    expect(row(listed)).to_contain_text("· kept")
    assert marked(server)["tags"] == ["kept"]
    listed.get_by_role("button", name="Dismiss").click()


def test_of_two_rows_the_one_pressed_last_comes_to_the_stage(listed: Page) -> None:
    listed.evaluate("sessionStorage.clear()")
    listed.reload()
    held = Held(listed, JOB)
    listed.locator(".row-item", has_text=NAMES[0]).first.click()
    held.wait()
    row(listed).click()
    wait_for(lambda: len(held) == 2, "the job of the second")
    held.release_one(1)
    expect(listed.locator("#title")).to_have_text(NAMES[1])
    held.release()
    listed.wait_for_selector("#star:enabled")
    expect(listed.locator("#title")).to_have_text(NAMES[1])


def test_of_two_reads_only_the_newest_counts(listed: Page) -> None:
    assert listed.evaluate(IS_NEWEST) == [False, True]


def test_a_list_that_was_read_before_a_piece_was_forgotten_does_not_bring_it_back(listed: Page) -> None:
    rows = listed.locator(".row-item", has_text=NAMES[2])
    rows.first.click()
    expect(listed.locator("#title")).to_have_text(NAMES[2])
    before = rows.count()
    held = Held(listed, LISTS)
    listed.click("#filter-loops")
    held.wait()
    listed.click("#dots")
    listed.get_by_role("button", name="Forget it").click()
    wait_for(lambda: len(held) == 2, "the list after it")
    held.release()
    expect(rows).to_have_count(before - 1)
    # The take is heard on, but is no longer in the library.
    expect(listed.locator("#star")).to_be_disabled()
    listed.click("#filter-all")
    expect(rows).to_have_count(before - 1)
