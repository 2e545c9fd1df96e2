"""Changing a take: words under it, what is understood before and after, locks, and the tree of what was changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect
from started_server import StartedServer, wait_for
from studio_page import make, opened_page, position, silent, sounding

FILE = re.compile(r"/api/jobs/[^/]+/audio$")


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
    expect(chips.last).to_be_in_viewport(ratio=1)
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


def test_a_request_that_is_refused_leaves_the_takes_where_they_are(changed: Page) -> None:
    takes = changed.locator(".take[role=tab]").count()
    changed.fill("#length", "40:00")
    changed.press("#prompt", "Enter")
    expect(changed.locator("#ask-problem")).to_contain_text("Length must be at most 30:00")
    expect(changed.locator(".take[role=tab] canvas")).to_have_count(takes)
    changed.click("#play")
    sounding(changed)
    silent(changed)
    changed.fill("#length", "2 bars")


def test_the_arrow_keys_go_from_chord_to_chord_and_to_their_section(changed: Page) -> None:
    chords = changed.locator("button.ch")
    expect(changed.locator("#ruler button[tabindex='0']")).to_have_count(1)
    chords.first.focus()
    changed.keyboard.press("ArrowRight")
    expect(chords.nth(1)).to_be_focused()
    changed.keyboard.press("ArrowUp")
    expect(changed.locator("button.sec").first).to_be_focused()
    changed.keyboard.press("ArrowDown")
    expect(chords.first).to_be_focused()


def test_variations_keep_what_is_locked_and_the_tree_shows_it(changed: Page, server: StartedServer) -> None:
    changed.click("#like")
    changed.get_by_role("button", name="Melody", exact=True).click()
    changed.get_by_role("button", name="Band", exact=True).click()
    expect(changed.locator(".locks [aria-pressed=true]")).to_have_text(["Melody", "Band"])
    changed.keyboard.press("Escape")
    expect(changed.locator("#vary")).to_have_accessible_name("Vary, keeping melody, band")
    before = changed.locator(".take[role=tab]").count()
    changed.click("#vary")
    expect(changed.locator(".take[role=tab] canvas")).to_have_count(before + 3)
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


def test_another_chord_is_typed_or_chosen_in_the_timeline_and_the_notes_follow(
    page: Page, server: StartedServer
) -> None:
    make(page, length="4 bars")
    silent(page)
    before = page.locator("#lanes").screenshot()
    chord = page.locator("button.ch").nth(1)
    was = chord.inner_text()
    chord.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chord")).to_have_value(was)
    page.keyboard.type("H7")
    page.keyboard.press("Enter")
    expect(page.locator("#pop .error")).to_contain_text("Must be a chord such as Fm7")
    page.fill("#chord", "a♭ maj7")
    page.keyboard.press("Enter")
    # The notes come before the sound.
    expect(page.locator("button.ch, span.ch").nth(1)).to_have_text("A♭maj7")
    expect(page.locator("#pop")).to_be_hidden()
    expect(page.locator("#change-chips")).to_contain_text(f"Chord of bar 2 {was.replace('♭', 'b')}")
    page.wait_for_selector("#download:enabled")
    assert page.locator("#lanes").screenshot() != before
    child, parent = httpx.get(f"{server.url}/api/tracks", params={"limit": 2}).json()["tracks"]
    assert child["parent"] == parent["id"]
    assert child["request"]["score_edits"] == ["chord 2=Abmaj7"]
    page.wait_for_selector("button.ch")
    page.locator("button.ch").nth(1).click()
    page.locator("#pop").get_by_role("button", name="Gm", exact=True).click()
    expect(page.locator("button.ch, span.ch").nth(1)).to_have_text("Gm")
    page.keyboard.press("x")
    expect(page.locator("button.ch").nth(1)).to_have_text("A♭maj7")
    expect(page.locator(".row-item", has_text="Bar 2: A♭maj7")).to_have_count(1)
    page.click("#vary")
    expect(page.locator("#banner")).to_contain_text("To keep the edits")


def test_the_take_before_sounds_on_until_the_change_of_it_is_there(page: Page) -> None:
    make(page, length="4 bars")
    sounding(page)
    held: list[Route] = []
    page.route(FILE, lambda route: held.append(route))
    page.wait_for_selector("button.ch")
    page.locator("button.ch").nth(1).click()
    page.locator("#pop").get_by_role("button", name="Gm", exact=True).click()
    expect(page.locator("#hearing")).to_have_text("Take A plays until B is there")
    sounding(page)
    before = position(page)
    expect(page.locator("#wave")).not_to_have_attribute("aria-valuenow", f"{before:.1f}")
    wait_for(lambda: page.evaluate("true") and held, "the request for the file")
    held.pop().continue_()
    expect(page.locator("#hearing")).to_have_text("Takes play at the same loudness")
    sounding(page)


def test_sections_are_moved_repeated_lengthened_and_left_out_in_the_timeline(page: Page, server: StartedServer) -> None:
    make(page, prompt="calm piano, 160 bpm", length="8 bars")
    page.wait_for_selector("button.sec")
    sections = page.locator(".sec")
    silent(page)
    names = sections.all_inner_texts()
    assert names == ["A", "B"]

    def change(at: int, press: str) -> None:
        takes = page.locator(".take[role=tab]").count()
        page.locator("button.sec").nth(at).click()
        page.locator("#pop").get_by_role("button", name=press, exact=True).first.click()
        page.wait_for_selector(f".take:nth-child({takes + 1})")
        page.wait_for_selector("#download:enabled")
        page.wait_for_selector("button.sec")
        silent(page)

    change(0, "Later")
    expect(sections).to_have_text([names[1], names[0], *names[2:]])
    change(0, "Play it twice")
    expect(sections).to_have_text([names[1], names[1], names[0], *names[2:]])
    change(1, "Leave it out")
    expect(sections).to_have_text([names[1], names[0], *names[2:]])
    page.locator("button.sec").first.click()
    page.fill("#section-bars", "6")
    change_bars = page.locator("#pop").get_by_role("button", name="Make it")
    change_bars.click()
    page.wait_for_selector(".take:nth-child(5) canvas")
    tracks = httpx.get(f"{server.url}/api/tracks", params={"limit": 5}).json()["tracks"]
    assert [track["parent"] for track in tracks[:4]] == [track["id"] for track in tracks[1:]]
    assert len(tracks[0]["request"]["score_edits"]) == 4
    assert tracks[0]["request"]["score_edits"][-1].startswith(f"sections {names[1]}=6 ")
