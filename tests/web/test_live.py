"""Sound from the first second: what has arrived is heard, and the file goes on where its stream is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect
from started_server import wait_for
from studio_page import ask, position, silent, sounding

FILE = re.compile(r"/api/jobs/[^/]+/audio$")
PIECE, LENGTH = "calm strings", "0:20"
# A sound that arrives in odd pieces, heard from 0.7 s on and followed by its file at 3 s: how far it is from the file.
HANDED_OVER = """async () => {
  const { LiveSound } = await import("/studio/modules/live_sound.js");
  const { LiveVoice } = await import("/studio/modules/live_voice.js");
  const { Voice } = await import("/studio/modules/voice.js");
  const rate = 44100, frames = rate * 5, bytes = new DataView(new ArrayBuffer(44 + frames * 4));
  const words = (at, ...values) => values.forEach((value, index) => bytes.setUint32(at + index * 4, value, true));
  words(0, 0x46464952, 36 + frames * 4, 0x45564157, 0x20746d66, 16, 0x20001, rate, rate * 4);
  words(32, 0x100004, 0x61746164, frames * 4);
  const file = new AudioBuffer({ length: frames, sampleRate: rate, numberOfChannels: 2 });
  for (let at = 0; at < frames; at += 1) {
    const value = Math.round(9000 * Math.sin(at / 17) + 3000 * Math.sin(at / 3.1));
    for (const channel of [0, 1]) {
      bytes.setInt16(44 + at * 4 + channel * 2, value, true);
      file.getChannelData(channel)[at] = value / 32768;
    }
  }
  const sound = new LiveSound(), whole = new Uint8Array(bytes.buffer);
  for (let at = 0; at < whole.length; at += 30011) sound.add(whole.subarray(at, at + 30011));
  sound.end();
  const context = new OfflineAudioContext(2, rate * 4, rate), from = 0.7;
  const live = new LiveVoice(context, context.destination, sound, { offset: from, gain: 1 });
  const zero = 3 - live.positionAt(3);
  const offset = live.positionAt(3);
  new Voice(context, context.destination, [{ buffer: file, gain: 1 }], { offset, region: null, gain: 1, time: 3 });
  live.stop(3);
  const heard = (await context.startRendering()).getChannelData(0), given = file.getChannelData(0);
  let worst = 0;
  for (let at = Math.ceil((zero + from) * rate) + 1; at < heard.length; at += 1) {
    worst = Math.max(worst, Math.abs(heard[at] - given[at - Math.round(zero * rate)]));
  }
  return { worst, segments: sound.segments.length, duration: sound.duration, arrived: sound.arrived };
}"""


@pytest.fixture(scope="module")
def held() -> list[Route]:
    """The requests for files, which are held back until the test lets them go."""
    return []


@pytest.fixture
def streaming(page: Page, held: list[Route]) -> Iterator[Page]:
    """The page while a piece sounds of which no file has arrived."""
    held.clear()
    page.route(FILE, lambda route: held.append(route))
    ask(page, PIECE, LENGTH)
    page.select_option("#form", "track")
    page.press("#prompt", "Enter")
    sounding(page)
    yield page
    for route in held:
        route.continue_()


def test_it_sounds_before_its_file_and_goes_on_with_it(
    streaming: Page, held: list[Route], complaints: list[str]
) -> None:
    expect(streaming.locator("#now")).not_to_have_text("0:00.0")
    expect(streaming.locator("#licence")).to_contain_text("Made in")
    # The browser tells of its requests only when it is asked something.
    wait_for(lambda: streaming.evaluate("true") and held, "the request for the file")
    before = position(streaming)
    while held:
        held.pop().continue_()
    streaming.wait_for_selector("#wave:not([data-arrived])")
    sounding(streaming)
    assert before < position(streaming) < before + 5
    # No new beginning once it is finished and paused.
    silent(streaming)
    rest = position(streaming)
    streaming.wait_for_timeout(300)
    assert position(streaming) == rest
    assert not complaints


def test_what_has_arrived_is_drawn_and_heard_from_any_place(streaming: Page) -> None:
    expect(streaming.locator("#wave")).to_have_attribute("data-arrived", re.compile(r"^([3-9]|1\d|20)\."))
    silent(streaming)
    streaming.keyboard.press("Home")
    assert position(streaming) == 0
    box = streaming.locator("#wave").bounding_box()
    assert box
    streaming.mouse.click(box["x"] + box["width"] * 0.1, box["y"] + 60)
    assert position(streaming) == pytest.approx(2, abs=0.1)
    streaming.keyboard.press("Space")
    sounding(streaming)
    expect(streaming.locator("#wave")).to_have_attribute("aria-valuenow", re.compile(r"^2\.[3-9]"))


def test_a_variation_sounds_while_it_is_made_and_so_does_what_a_reload_finds(
    streaming: Page, held: list[Route]
) -> None:
    streaming.unroute(FILE)
    while held:
        held.pop().continue_()
    streaming.wait_for_selector("#vary:enabled")
    silent(streaming)
    streaming.route(FILE, lambda route: held.append(route))
    streaming.fill("#change-words", "2 minutes long")
    streaming.press("#change-words", "Enter")
    streaming.wait_for_selector(".take:nth-child(2)")
    expect(streaming.locator("#wave")).to_have_attribute("data-arrived", re.compile(r"^\d"))
    streaming.reload()
    expect(streaming.locator("#wave")).to_have_attribute("data-arrived", re.compile(r"^\d"))
    # Browsers differ in whether a touch of the page counts after a reload.
    if streaming.get_attribute("#play", "aria-label") == "Play":
        streaming.click("#play")
    sounding(streaming)
    expect(streaming.locator("#now")).not_to_have_text("0:00.0")


def test_segments_and_the_file_after_them_sum_to_the_file(page: Page) -> None:
    heard = page.evaluate(HANDED_OVER)
    assert heard["segments"] > 3
    assert heard["arrived"] == heard["duration"] == 5
    # One step of 16 bits.
    assert heard["worst"] < 1 / 32768
