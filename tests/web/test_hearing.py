"""Hearing: seeking, the loop to the sample, and takes beside each other at the same loudness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from started_server import StartedServer, wait_for
from studio_page import SEAM, make, opened_page, position, silent, sounding

LOUDNESS = """async () => {
  const { loudnessOf } = await import("/studio/modules/loudness.js");
  const rate = 48000, context = new OfflineAudioContext(2, rate * 5, rate);
  const tone = new OscillatorNode(context, { frequency: 997 });
  tone.connect(new GainNode(context, { gain: 10 ** (-23 / 20) })).connect(context.destination);
  tone.start();
  return loudnessOf(await context.startRendering());
}"""

BEAT = """async ([meter, seconds]) => {
  const { beatAt } = await import("/studio/modules/meter.js");
  const take = { id: "a", facts: { tempoBpm: meter === "7/8" ? 200 : 100, meter, duration: 60 } };
  const { bar, beat } = beatAt(seconds, { takes: [take], current: "a" });
  return [bar, beat];
}"""


# How far the playhead has moved, and how long that took, when the second take is pressed while the first plays.
TO_THE_SECOND = """async () => {
  const wave = document.querySelector("#wave"), value = (name) => Number(wave.getAttribute(name));
  const before = value("aria-valuenow"), began = performance.now();
  document.querySelector(".take:nth-child(2)").click();
  for (let frame = 0; frame < 8; frame += 1) await new Promise(requestAnimationFrame);
  const length = value("aria-valuemax"), moved = (value("aria-valuenow") - before + length) % length;
  return { moved, waited: ((performance.now() - began) / 1000) % length };
}"""


@pytest.fixture
def made(page: Page) -> Page:
    """Give a page with two takes, silent, whose loop may be changed."""
    make(page, takes=2)
    silent(page)
    return page


@pytest.fixture(scope="module")
def listening(browser: Browser, server: StartedServer) -> Iterator[Page]:
    """Give the page of all tests here that leave its loop alone."""
    with opened_page(browser, server.url) as page:
        make(page, takes=2)
        yield page


@pytest.fixture
def takes(listening: Page) -> Page:
    """Give a page with two takes, silent at the beginning of the first."""
    silent(listening)
    for key in ("1", "Home"):
        listening.keyboard.press(key)
    return listening


def test_a_click_on_the_wave_and_the_arrow_keys_seek(takes: Page) -> None:
    box = takes.locator("#wave").bounding_box()
    assert box
    takes.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    duration = float(takes.get_attribute("#wave", "aria-valuemax") or "nan")
    assert position(takes) == pytest.approx(duration / 2, abs=0.1)
    takes.keyboard.press("Home")
    assert position(takes) == 0
    takes.keyboard.press("ArrowRight")
    assert position(takes) == pytest.approx(60 / 84, abs=0.06)
    takes.keyboard.press("Shift+ArrowRight")
    assert position(takes) == pytest.approx(5 * 60 / 84, abs=0.06)
    assert takes.inner_text("#beat") == "Bar 2, beat 2"


@pytest.mark.parametrize(
    ("meter", "seconds", "place"),
    [("6/8", 1.3, [2, 1]), ("6/8", 1.9, [2, 2]), ("4/4", 1.3, [1, 3]), ("7/8", 2.2, [2, 1])],
)
def test_bars_are_counted_in_the_beats_that_a_foot_taps(
    takes: Page, meter: str, seconds: float, place: list[int]
) -> None:
    assert takes.evaluate(BEAT, [meter, seconds]) == place


def test_dragging_along_the_wave_scrubs(takes: Page) -> None:
    box = takes.locator("#wave").bounding_box()
    assert box
    takes.mouse.move(box["x"] + 5, box["y"] + 60)
    takes.mouse.down()
    takes.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60)
    takes.mouse.up()
    duration = float(takes.get_attribute("#wave", "aria-valuemax") or "nan")
    assert position(takes) == pytest.approx(duration * 0.75, abs=0.1)


@pytest.mark.parametrize("region", ["{ start: 0, end: buffer.duration }", "{ start: 0.7001, end: 1.4003 }"])
def test_the_seam_of_the_loop_is_exact_to_the_sample(takes: Page, region: str) -> None:
    seam: dict[str, Any] = takes.evaluate(SEAM.replace("REGION", region))
    assert seam["length"] == 252_000
    assert seam["worst"] < 1e-6


def test_the_loop_has_ends_that_the_keys_set(made: Page) -> None:
    made.keyboard.press("Home")
    made.keyboard.press("ArrowRight")
    made.keyboard.press("[")
    made.keyboard.press("ArrowRight")
    made.keyboard.press("]")
    made.keyboard.press("Space")
    sounding(made)
    heard = [position(made)]

    def has_begun_again() -> bool:
        heard.append(position(made))
        return heard[-1] < heard[-2]

    wait_for(has_begun_again, "the loop to begin again")
    assert 60 / 84 - 0.06 <= min(heard) < max(heard) <= 2 * 60 / 84 + 0.06
    sounding(made)


def test_a_piece_that_is_not_looped_ends(made: Page) -> None:
    made.keyboard.press("l")
    expect(made.locator("#loop")).to_have_attribute("aria-pressed", "false")
    box = made.locator("#wave").bounding_box()
    assert box
    made.mouse.click(box["x"] + box["width"] * 0.97, box["y"] + 60)
    made.keyboard.press("Space")
    made.wait_for_selector('#play[aria-label="Play"]')
    assert position(made) == 0


def test_a_browser_without_a_sound_device_is_no_silent_riddle(new_page: Page) -> None:
    # As Firefox has it: the context never runs, and nothing is refused. Chromium has a device of its own.
    new_page.evaluate("Object.defineProperty(BaseAudioContext.prototype, 'state', { get: () => 'suspended' })")
    new_page.clock.install()
    make(new_page)
    sounding(new_page)
    new_page.clock.fast_forward(5_000)
    new_page.wait_for_selector('#play[aria-label="Play"]')
    expect(new_page.locator("#banner")).to_contain_text("The browser has opened no sound device. Connect one")


def test_takes_are_compared_from_the_same_place(takes: Page) -> None:
    box = takes.locator("#wave").bounding_box()
    assert box
    takes.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    before = position(takes)
    takes.keyboard.press("2")
    expect(takes.locator(".take").nth(1)).to_have_attribute("aria-selected", "true")
    assert position(takes) == before
    takes.keyboard.press("x")
    expect(takes.locator(".take").nth(0)).to_have_attribute("aria-selected", "true")
    takes.keyboard.press("Space")
    sounding(takes)
    heard = takes.evaluate(TO_THE_SECOND)
    assert heard["moved"] < heard["waited"] + 0.3


def test_loudness_is_measured_as_the_standard_says(takes: Page) -> None:
    # EBU Tech 3341, case 1: a stereo tone of -23 dBFS has -23 LUFS, within 0.1 LU; the browser's filters are near it.
    assert takes.evaluate(LOUDNESS) == pytest.approx(-23, abs=0.2)


def test_the_notes_drawn_are_those_of_the_file(takes: Page, server: StartedServer) -> None:
    import io

    import mido

    track = httpx.get(f"{server.url}/api/tracks", params={"limit": 1}).json()["tracks"][0]
    file = mido.MidiFile(file=io.BytesIO(httpx.get(server.url + track["midi"], timeout=60).content))
    expected = [sum(one.type == "note_on" and one.velocity > 0 for one in part) for part in file.tracks]
    script = """async (path) => {
      const { partsOf } = await import("/studio/modules/scores.js");
      const parts = partsOf(await (await fetch(path)).json());
      return parts.map((part) => [part.notes.length, Math.max(...part.notes.map((note) => note.start + note.length))]);
    }"""
    parts = takes.evaluate(script, track["score"])
    # The page has the parts in the order of a score.
    assert sorted(count for count, _ in parts) == sorted(count for count in expected if count)
    assert max(end for _, end in parts) == pytest.approx(track["duration"], abs=0.1)
