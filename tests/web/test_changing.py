"""Changing a take: words under it, what is understood before and after, locks, and the tree of what was changed."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from started_server import StartedServer
from studio_page import make, opened_page, silent


@pytest.fixture(scope="module")
def changed(browser: Browser, server: StartedServer) -> Iterator[Page]:
    """The page with one take, for one test after another."""
    with opened_page(browser, server.url) as page:
        make(page)
        silent(page)
        yield page


def test_words_are_understood_before_and_shown_after(changed: Page, server: StartedServer) -> None:
    changed.keyboard.press("c")
    changed.keyboard.type("without drums, much slower")
    chips = changed.locator("#change-chips .chip")
    expect(chips.nth(0)).to_have_text("Without drums")
    expect(chips.nth(1)).to_have_accessible_name("Tempo 84 bpm becomes 64 bpm")
    chips.nth(1).click()
    expect(changed.locator("#pop")).to_contain_text("Because of ‘much slower’. It was 84 bpm.")
    changed.keyboard.press("Escape")
    changed.press("#change-words", "Enter")
    changed.wait_for_selector(".take:nth-child(2) canvas")
    changed.wait_for_selector("#download:enabled")
    expect(changed.locator("#change-words")).to_have_value("")
    expect(changed.locator("#change-chips")).to_contain_text("Changed:Without drums")
    expect(changed.locator("#meta")).to_contain_text("64 bpm")
    expect(changed.locator("#lanes")).not_to_contain_text("Drums")
    tracks = httpx.get(f"{server.url}/api/tracks", params={"limit": 2}).json()["tracks"]
    assert tracks[0]["parent"] == tracks[1]["id"]
    assert tracks[0]["seed"] == tracks[1]["seed"]


def test_words_that_change_nothing_are_said_in_words(changed: Page) -> None:
    changed.fill("#change-words", "blargh")
    expect(changed.locator("#change-note")).to_contain_text("Not understood: ‘blargh’. Try: happier, slower")
    changed.fill("#change-words", "happier, blargh")
    expect(changed.locator("#change-note")).to_have_text("Not understood: ‘blargh’.")
    expect(changed.locator("#change-chips")).to_contain_text("Mood")
    changed.fill("#change-words", "")
    expect(changed.locator("#change-note")).to_be_hidden()


def test_variations_keep_what_is_locked_and_the_tree_shows_it(changed: Page, server: StartedServer) -> None:
    changed.click("#like")
    changed.get_by_role("button", name="Melody", exact=True).click()
    changed.get_by_role("button", name="Band", exact=True).click()
    expect(changed.locator(".locks [aria-pressed=true]")).to_have_text(["Melody", "Band"])
    changed.keyboard.press("Escape")
    expect(changed.locator("#vary")).to_have_accessible_name("Vary, keeping melody, band")
    before = changed.locator(".take[role=tab]").count()
    changed.click("#vary")
    changed.wait_for_selector(f".take:nth-child({before + 3}) canvas")
    tracks = httpx.get(f"{server.url}/api/tracks", params={"limit": 3}).json()["tracks"]
    assert len({track["seed"] for track in tracks}) == 3
    assert all({"melody=11", "band=11"} <= set(track["request"]["lock"]) for track in tracks)
    changed.click("#like")
    branches = changed.locator(".tree li")
    expect(branches.first).to_contain_text("Warm lofi hip hop with a Rhodes and rain")
    expect(changed.locator(".tree [aria-current]")).to_have_count(1)
    kept = changed.locator(".tree button").filter(has_text="Keeps melody, band")
    expect(kept).to_have_count(3)
    kept.first.click()
    expect(changed.locator("#pop")).to_be_hidden()
    expect(changed.locator(f".take:nth-child(n + {before + 1})[aria-selected=true]")).to_have_count(1)
