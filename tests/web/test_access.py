"""Access: no violation that axe-core knows, in light and dark, on the phone and the desktop; keys that reach all."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Response, expect
from studio_page import ask, make, silent, violations

SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}


def posted(answer: Response) -> str:
    return answer.request.post_data or ""


@pytest.mark.parametrize("size", SIZES)
def test_no_state_of_the_page_has_a_violation(page: Page, size: str, complaints: list[str]) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(reduced_motion="reduce")
    found = {"empty": violations(page)}
    ask(page, length="40:00")
    page.click("#make")
    page.wait_for_selector("#ask-problem:visible")
    found["error"] = violations(page)
    complaints.clear()
    make(page, takes=2)
    silent(page)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found[f"ready {theme}"] = violations(page)
        page.locator(".chip").first.click()
        found[f"chip {theme}"] = violations(page)
        page.keyboard.press("Escape")
        page.fill("#change-words", "happier, blargh")
        page.wait_for_selector("#change-chips .chip")
        if width > 640:
            page.click("#like")
        else:
            page.click("#dots")
            page.get_by_role("button", name="Vary, and keep…").click()
        found[f"changing {theme}"] = violations(page)
        page.keyboard.press("Escape")
        page.click("#dots")
        found[f"menu {theme}"] = violations(page)
        page.keyboard.press("Escape")
        page.locator("button.sec").first.click()
        found[f"section {theme}"] = violations(page)
        page.locator("#pop .others .chip").first.click()
        found[f"chord {theme}"] = violations(page)
        page.keyboard.press("Escape")
        if width < 1200:
            page.click("#side-open")
        page.click("#tab-models")
        found[f"models {theme}"] = violations(page)
        page.click("#tab-library")
        if width < 1200:
            page.click("#side-close")
    page.get_by_role("button", name="Mute ").first.click()
    page.click("#dots")
    page.get_by_role("button", name="Join with others…").click()
    found["joining"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Use it").click()
    found["program"] = violations(page)
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("h")
    found["hit"] = violations(page)
    page.keyboard.press("?")
    found["shortcuts"] = violations(page)
    page.keyboard.press("Escape")
    assert {state: wrong for state, wrong in found.items() if wrong} == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # A draft that is refused while it is typed is an answer of 422, which the browser notes.
    assert [one for one in complaints if "422" not in one] == []


def test_single_letters_can_be_switched_off(page: Page) -> None:
    page.keyboard.press("?")
    page.uncheck("#letters")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("p")
    assert page.evaluate("document.activeElement.id") != "prompt"
    page.reload()
    page.wait_for_selector(".dot.ready")
    page.keyboard.press("p")
    expect(page.locator("#prompt")).not_to_be_focused()


def test_tabs_are_reached_with_the_arrow_keys(page: Page) -> None:
    make(page, takes=2)
    page.locator(".take").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".take").nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".take").nth(1)).to_be_focused()


def test_the_focus_goes_back_to_the_chip_that_was_changed(page: Page) -> None:
    # The last thing that is filled in is the seed, and its explanation replaces the chips.
    with page.expect_response(lambda answer: answer.url.endswith("/api/explain") and "seed" in posted(answer)):
        ask(page)
    page.get_by_role("button", name="Tempo: 84 bpm").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Tempo: 84 bpm")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Lock", exact=True).press("Enter")
    expect(page.locator(".chip.locked")).to_be_focused()
