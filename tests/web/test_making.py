"""Asking for music: the brief as chips, takes with their progress, and what happens when it cannot be made."""

from __future__ import annotations

import re
from typing import Any

import httpx
from own_api import in_state
from playwright.sync_api import Page, expect
from started_server import StartedServer
from studio_page import PROMPT, ask, make, position, sounding


def newest_job(server: StartedServer) -> dict[str, Any]:
    """Return the request that came last."""
    jobs = httpx.get(f"{server.url}/api/jobs", params={"limit": 1}).raise_for_status().json()["jobs"]
    request: dict[str, Any] = jobs[0]["request"]
    return request


# Another step of the progress, wherever it is drawn.
NEXT_PROGRESS = """async () => {
  const shown = () => ["takes", "meta"].map((id) => document.getElementById(id).textContent).join();
  const before = shown();
  while (shown() === before) await new Promise(requestAnimationFrame);
}"""

# The fields that ask again for what a request asked for.
DRAFT_OF = """async (request) => {
  const { draftOf, fieldsOf } = await import("/studio/modules/request.js");
  return fieldsOf(draftOf(request, { hits: [] }));
}"""


def test_a_prompt_becomes_sound_with_its_licence(page: Page, complaints: list[str]) -> None:
    make(page, prompt=f"{PROMPT}, in F minor")
    sounding(page)
    expect(page.locator("#wave")).not_to_have_attribute("aria-valuenow", f"{position(page):.1f}")
    assert page.inner_text("#title") == "Warm Lofi Hip Hop"
    assert re.search(r"84 bpm\s+4/4\s+2 bars\s+loop\s+seed 11", page.inner_text("#meta"))
    assert re.match(r"[A-G]♭?m", page.locator("#ruler .ch").first.inner_text())
    assert "Free to use, also commercially" in page.inner_text("#licence")
    expect(page.locator(".lane .name")).to_contain_text(["Melody", "Chords", "Bass", "Drums"])
    assert complaints == []


def test_the_notes_are_there_before_the_sound(page: Page) -> None:
    ask(page, length="15:00")
    page.press("#prompt", "Enter")
    # While it is being made: the parts with their notes, and the sections.
    expect(page.locator(".lane .name")).to_contain_text(["Melody", "Chords", "Bass", "Drums"])
    expect(page.locator("#meta")).to_contain_text(re.compile(r"\d %\d+\.\d s left"))
    assert int((page.locator(".lane canvas").first.get_attribute("aria-label") or "0").split()[0]) > 100
    assert page.locator("#ruler .sec").count() > 2
    assert page.inner_text("#total") == "15:00.0"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


def test_a_press_counts_although_the_progress_is_drawn_meanwhile(page: Page) -> None:
    ask(page, length="6:00", takes=2)
    page.press("#prompt", "Enter")
    expect(page.locator("#meta")).to_contain_text("%")
    _press_slowly(page, "#takes .take:nth-child(2)")
    expect(page.locator("#takes .take").nth(1)).to_have_attribute("aria-selected", "true")
    _press_slowly(page, "#ab button:nth-child(1)")
    expect(page.locator("#takes .take").nth(0)).to_have_attribute("aria-selected", "true")
    _press_slowly(page, "#acts button")
    expect(page.locator("#takes .take")).to_have_count(1)
    page.click("#acts button")
    expect(page.locator("#blank")).to_be_visible()


def _press_slowly(page: Page, selector: str) -> None:
    """Press a button, and let it go two steps of the progress later."""
    page.hover(selector)
    page.mouse.down()
    for _ in range(2):
        page.evaluate(NEXT_PROGRESS)
    page.mouse.up()


def test_an_example_of_the_first_run_is_a_prompt_to_begin_with(page: Page) -> None:
    card = page.locator(".card").nth(2)
    card.click()
    assert page.input_value("#prompt") == card.locator("span").inner_text()
    expect(page.locator(".chip").first).to_be_visible()


def test_recent_prompts_are_offered_where_the_prompt_is_empty(page: Page) -> None:
    make(page)
    expect(page.locator("#recent")).to_be_hidden()
    page.fill("#prompt", "")
    page.locator("#recent button").click()
    assert page.input_value("#prompt") == PROMPT
    expect(page.locator("#recent")).to_be_hidden()


def test_what_was_understood_is_underlined_and_explained(page: Page) -> None:
    page.fill("#prompt", PROMPT)
    expect(page.locator("#mirror mark")).to_have_text(["warm", "lofi hip hop", "Rhodes", "rain", "84 bpm"])
    # An emoji is two units of JavaScript's strings and one code point of the server's spans.
    page.fill("#prompt", f" 🎹 {PROMPT}")
    expect(page.locator("#mirror mark")).to_have_text(["warm", "lofi hip hop", "Rhodes", "rain", "84 bpm"])
    expect(page.get_by_role("button", name="Ambience: Rain")).to_have_attribute("title", "The prompt says ‘rain’.")
    page.get_by_role("button", name="Ambience: Rain").click()
    expect(page.locator("#pop")).to_contain_text("The prompt says ‘rain’.")
    page.keyboard.press("Escape")
    expect(page.locator("#pop")).to_be_hidden()


def test_chips_are_locked_changed_and_left_out(page: Page, server: StartedServer) -> None:
    ask(page)
    page.get_by_role("button", name=re.compile("^Key: ")).click()
    page.get_by_role("button", name="Change…").click()
    page.fill("#choice", "D minor")
    page.keyboard.press("Enter")
    expect(page.locator(".chip.locked")).to_have_text("Key: D minor")
    page.get_by_role("button", name="Tempo: 84 bpm").click()
    page.get_by_role("button", name="Lock", exact=True).click()
    page.get_by_role("button", name="Instrument: Electric piano").click()
    page.get_by_role("button", name="Leave out").click()
    page.get_by_role("button", name="Ambience: Rain").click()
    page.get_by_role("button", name="Leave out").click()
    expect(page.locator(".chip.out")).to_have_text("No electric piano")
    page.click("#make")
    page.wait_for_selector("#download:enabled")
    request = newest_job(server)
    assert (request["key"], request["tempo_bpm"], request["without"]) == ("D minor", 84, ["electric_piano"])
    assert request["prompt"] == "warm lofi hip hop with a Rhodes, 84 bpm"
    assert page.inner_text("#meta").startswith("D minor")


def test_a_wish_is_added(page: Page, server: StartedServer) -> None:
    ask(page)
    page.get_by_role("button", name="Add a wish").click()
    page.get_by_role("button", name="Instrument…").click()
    page.fill("#choice", "flute")
    page.keyboard.press("Enter")
    expect(page.locator(".chip.locked")).to_have_text("Instrument: Flute")
    page.click("#make")
    page.wait_for_selector("#download:enabled")
    assert newest_job(server)["instruments"] == ["flute"]


def test_a_piece_asked_for_again_keeps_what_was_changed_about_it(page: Page) -> None:
    fields = page.evaluate(DRAFT_OF, {"prompt": "calm harp", "mood": "0.4,-0.6", "key": "D minor", "intro": None})
    assert fields == {"prompt": "calm harp", "mood": "0.4,-0.6", "key": "D minor"}
    page.evaluate(
        "localStorage.setItem('tunesmith.studio', JSON.stringify({ draft: { prompt: 'x', more: { intro: 'long' } } }))"
    )
    page.reload()
    page.get_by_role("button", name="Intro long; press to leave it out").click()
    expect(page.get_by_role("button", name="Intro long")).to_have_count(0)


def test_a_length_beyond_the_limit_is_said_in_words_and_repaired_with_one_press(page: Page) -> None:
    ask(page, length="40:00")
    page.press("#prompt", "Enter")
    expect(page.locator("#ask-problem")).to_contain_text("Length must be at most 30:00, got '40:00'")
    assert page.get_attribute("#length", "aria-invalid") == "true"
    # What the words say is shown all the same.
    expect(page.locator(".chip").first).to_contain_text("Lo-fi hip hop")
    page.get_by_role("button", name="Use 30:00").click()
    assert page.input_value("#length") == "30:00"
    expect(page.locator("#ask-problem")).to_be_hidden()
    assert page.locator(".take[role=tab]").count() == 0


def test_a_genre_that_there_is_not_names_the_nearest_and_the_chip_has_others(page: Page) -> None:
    ask(page)
    page.get_by_role("button", name="Genre: Lo-fi hip hop").click()
    page.get_by_role("button", name="Change…").click()
    page.fill("#choice", "lofy")
    page.keyboard.press("Enter")
    expect(page.locator("#ask-problem")).to_contain_text("lofi")
    page.get_by_role("button", name="Genre: Lo-fi hip hop").click()
    page.get_by_role("button", name="Change…").click()
    other = page.get_by_role("group", name="Or one of these").get_by_role("button").first
    name = other.inner_text()
    assert name != "Lo-fi hip hop"
    other.click()
    expect(page.locator(".chip.locked")).to_have_text(f"Genre: {name}")
    expect(page.locator("#ask-problem")).to_be_hidden()


def test_what_the_composer_cannot_do_is_said_before(page: Page) -> None:
    page.fill("#prompt", "sad piano ballad with a singer")
    expect(page.locator("#warning")).to_contain_text("cannot sing")


def test_a_take_that_fails_says_why_and_copies_its_details(page: Page) -> None:
    problem = {"error": {"type": "OutOfResources", "message": "not enough memory to generate this"}}
    page.route("**/api/jobs*", lambda route: route.fulfill(status=422, json=problem))
    ask(page, prompt="calm harp")
    page.press("#prompt", "Enter")
    expect(page.locator("#sorry")).to_contain_text("Take A could not be made")
    expect(page.locator("#sorry")).to_contain_text("Not enough memory to generate this.")
    page.get_by_role("button", name="Copy details").click()
    expect(page.locator("#sorry [role=status]")).to_have_text(re.compile("Copied|Selected: copy it with Ctrl.C"))


def test_an_empty_prompt_is_where_to_begin(page: Page) -> None:
    page.click("#make")
    expect(page.locator("#prompt")).to_be_focused()
    assert page.locator(".take[role=tab]").count() == 0


def test_what_is_being_made_waits_its_turn_and_is_cancelled(page: Page, server: StartedServer) -> None:
    ask(page, length="20:00", takes=3)
    page.press("#prompt", "Enter")
    expect(page.locator("#meta")).to_contain_text("%")
    # The others wait for it, and say where they are in the queue.
    tabs = page.locator(".take[role=tab]")
    expect(tabs.nth(1)).to_contain_text("Next")
    expect(tabs.nth(2)).to_contain_text("place 2")
    tabs.nth(2).click()
    expect(page.locator("#meta")).to_have_text("Waiting1 piece before it")
    tabs.nth(0).click()
    page.locator("#acts").get_by_role("button", name="Cancel").click()
    expect(tabs).to_have_count(2)
    expect(tabs.nth(1)).to_contain_text("Next")
    page.locator("#prompt").blur()
    page.keyboard.press("Escape")
    expect(page.locator(".take[role=tab]")).to_have_count(0)
    expect(page.locator("#blank")).to_be_visible()
    expect(page.locator("#status")).to_contain_text("Ready")
    jobs = httpx.get(f"{server.url}/api/jobs", params={"limit": 3}).json()["jobs"]
    asked = [job["id"] for job in jobs if job["request"].get("duration") == 1200]
    with httpx.Client(base_url=server.url) as client:
        assert [in_state(client, job, "canceled")["state"] for job in asked] == ["canceled"] * len(asked)
    assert len(asked) == 3
