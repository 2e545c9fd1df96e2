"""The live panel: shown where a model plays live; prompts, blend, notes and drums change what is heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect
from started_server import StartedServer, wait_for
from studio_page import reopened_page, violations


class Wire:
    """The messages of the page's WebSockets."""

    def __init__(self, page: Page) -> None:
        self.sent: list[str] = []
        self.got: list[str] = []
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.sent.append(str(frame)))
        socket.on("framereceived", lambda frame: self.got.append(frame) if isinstance(frame, str) else None)

    def wait_for(self, page: Page, text: str, *, sent: bool = False) -> None:
        """Wait until a message with a text was received, or sent."""
        messages = self.sent if sent else self.got
        # The browser tells of its messages only when it is asked something.
        wait_for(lambda: page.evaluate("true") and any(text in one for one in messages), f"a message with {text}")


@pytest.fixture
def panel(window: Page, live_server: StartedServer, complaints: list[str]) -> Iterator[Page]:
    with reopened_page(window, live_server.url, complaints) as page:
        page.click("#live-open")
        page.wait_for_selector("dialog.live")
        yield page
    assert complaints == []


def held(page: Page) -> list[str | None]:
    keys = page.locator('.piano [aria-pressed="true"]')
    return [key.get_attribute("aria-label") for key in keys.all()]


def test_it_plays_and_everything_changes_what_is_heard(panel: Page) -> None:
    wire = Wire(panel)
    panel.fill(".live-text >> nth=1 >> input", "techno")
    panel.get_by_role("button", name="Start").click()
    wire.wait_for(panel, '"type":"started"')
    assert '"second_prompt":"techno"' in wire.sent[0]
    panel.get_by_label("Blend: the share").fill("0.25")
    wire.wait_for(panel, '"blend":0.25')
    panel.locator("dialog.live select").select_option("2")
    wire.wait_for(panel, '"drums":false')
    panel.get_by_role("button", name="Start").or_(panel.get_by_role("button", name="Stop")).focus()
    panel.keyboard.down("a")
    wire.wait_for(panel, '"notes":[48]')
    assert held(panel) == ["C 3"]
    panel.keyboard.up("a")
    wire.wait_for(panel, '"notes":[]')
    panel.fill(".live-text >> nth=0 >> input", "jazz")
    panel.keyboard.press("Enter")
    wire.wait_for(panel, '"prompt":"jazz"')
    assert held(panel) == []
    panel.wait_for_timeout(1_000)
    panel.get_by_role("button", name="Keep the last").click()
    wire.wait_for(panel, '"type":"recorded"')
    expect(panel.locator(".live-status")).to_have_text("Kept; it is in the library")
    expect(panel.locator("#rows")).to_contain_text("Jazz")
    panel.get_by_role("button", name="Stop").click()
    wire.wait_for(panel, '"reason":"stopped"')
    expect(panel.get_by_role("button", name="Start")).to_be_enabled()


def test_keys_are_held_by_pointer_and_stay_down_where_wanted(panel: Page) -> None:
    key = panel.get_by_role("button", name="E 3", exact=True)
    box = key.bounding_box()
    assert box
    panel.mouse.move(box["x"] + 5, box["y"] + box["height"] - 5)
    panel.mouse.down()
    assert held(panel) == ["E 3"]
    panel.mouse.up()
    assert held(panel) == []
    panel.get_by_label("Keys stay down").check()
    for name in ("E 3", "G 3", "B 3", "G 3"):
        panel.get_by_role("button", name=name, exact=True).click(position={"x": 5, "y": 120})
    assert held(panel) == ["E 3", "B 3"]
    panel.get_by_role("button", name="An octave up").click()
    assert held(panel) == []
    expect(panel.locator(".piano button").first).to_have_attribute("aria-label", "C 4")


@pytest.mark.parametrize("size", [(390, 844), (1440, 900)])
def test_it_has_no_violation_and_ends_when_it_is_closed(panel: Page, size: tuple[int, int]) -> None:
    wire = Wire(panel)
    panel.set_viewport_size({"width": size[0], "height": size[1]})
    panel.get_by_role("button", name="Start").click()
    wire.wait_for(panel, '"type":"started"')
    found: dict[str, Any] = {}
    for theme in ("light", "dark"):
        panel.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found[theme] = violations(panel)
    assert found == {"light": [], "dark": []}
    assert panel.evaluate("document.documentElement.scrollWidth") <= size[0]
    panel.keyboard.press("Escape")
    expect(panel.locator("dialog.live")).to_have_count(0)
    # Not wait_for_function, which the page's policy refuses once it has to ask twice.
    rests = "fetch('/api/ps').then((a) => a.json()).then((a) => a.models.every((m) => !m.requests_running))"
    wait_for(lambda: panel.evaluate(rests), "the stream to end")


def test_a_page_without_such_a_model_has_no_way_to_it_and_loads_nothing_of_it(page: Page) -> None:
    expect(page.locator("#live-open")).to_be_hidden()
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert [one for one in loaded if "/live/" in one or one.endswith(("/live.js", "/live.css"))] == []
