"""The mixer: parts muted, alone and balanced while the take plays, their sum and their seam to the sample; layers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from started_server import StartedServer
from studio_page import make, opened_page, silent

RENDER = """async () => {
  const { unzipped } = await import("/studio/modules/zip.js");
  const { Voice } = await import("/studio/modules/voice.js");
  const { tracks } = await (await fetch("/api/tracks?limit=1")).json();
  const decode = (file) => new OfflineAudioContext(2, 1, 44100).decodeAudioData(file);
  const mix = await decode(await (await fetch(tracks[0].audio)).arrayBuffer());
  const zip = new Uint8Array(await (await fetch(tracks[0].stems + "?mastered=true")).arrayBuffer());
  const stems = [];
  for (const { content } of unzipped(zip)) stems.push(await decode(content.slice().buffer));
  const frames = Math.floor(mix.length * 2.2), context = new OfflineAudioContext(2, frames, 44100);
  const region = { start: 0, end: mix.length / 44100 };
  const layers = stems.map((buffer) => ({ buffer, gain: 1 }));
  new Voice(context, context.destination, layers, { offset: 0, region, gain: 1 });
  const heard = (await context.startRendering()).getChannelData(0), given = mix.getChannelData(0);
  const ahead = Math.round(0.005 * 44100);
  let worst = 0;
  // From the end of the fade on, through two seams.
  for (let at = 2000; at < frames; at += 1) {
    worst = Math.max(worst, Math.abs(heard[at] - given[(at - ahead) % mix.length]));
  }
  const lengths = stems.map(({ length }) => length);
  return { worst, shorter: lengths.filter((length) => length !== mix.length).length, count: stems.length };
}"""


@pytest.fixture(scope="module")
def mixer(browser: Browser, server: StartedServer) -> Iterator[Page]:
    """A page with one take, silent, whose parts are loaded."""
    with opened_page(browser, server.url) as page:
        make(page)
        silent(page)
        mute_drums(page, "Without drums")
        # A worker may begin with any test of this file: each finds all parts heard.
        mute_drums(page, "")
        yield page


def mute_drums(page: Page, then: str) -> None:
    """Press the button, and wait until the page says what is heard."""
    page.get_by_role("button", name="Mute Drums").click()
    expect(page.locator("#hearing")).to_have_text(then)


def pressed(page: Page, name: str) -> str | None:
    return page.get_by_role("button", name=name).get_attribute("aria-pressed")


def test_parts_sum_to_the_mix_and_their_loop_has_no_seam(mixer: Page) -> None:
    found = mixer.evaluate(RENDER)
    assert found["count"] >= 4
    assert found["shorter"] == 0
    # 16 bits of the mix with their dither; a seam would be hundreds of times as large.
    assert found["worst"] < 4 / 2**15


def test_a_muted_part_is_drawn_dim_and_a_part_alone_mutes_the_others(mixer: Page) -> None:
    mute_drums(mixer, "Without drums")
    expect(mixer.locator('.lane[data-part="drums"]')).to_have_class(re.compile("mute"))
    mixer.get_by_role("button", name="Solo Bass").click()
    expect(mixer.locator("#hearing")).to_have_text("Only bass")
    assert mixer.locator(".lane.mute").count() == mixer.locator(".lane").count() - 1
    mixer.get_by_role("button", name="Solo Bass").click()
    mixer.get_by_role("button", name="Mute Drums").click()
    expect(mixer.locator(".lane.mute")).to_have_count(0)


def test_sounds_without_notes_have_lanes_too(mixer: Page) -> None:
    expect(mixer.locator('.lane[data-part="rain"] canvas').first).to_have_attribute("aria-label", "No notes, a sound")


def test_the_mixer_is_worked_with_keys(mixer: Page) -> None:
    mixer.get_by_role("button", name="Mute Bass").focus()
    mixer.keyboard.press("ArrowDown")
    expect(mixer.get_by_role("button", name="Mute Drums")).to_be_focused()
    mixer.keyboard.press("m")
    assert (pressed(mixer, "Mute Drums"), pressed(mixer, "Solo Drums")) == ("true", "false")
    mixer.keyboard.press("m")
    gain = mixer.get_by_role("slider", name="Bass, gain in decibels")
    gain.focus()
    mixer.keyboard.press("ArrowLeft")
    expect(gain).to_have_attribute("aria-valuetext", "-0.5 decibels")
    gain.dblclick()
    expect(gain).to_have_attribute("aria-valuetext", "0 decibels")


def test_levels_move_with_what_is_heard(mixer: Page) -> None:
    mixer.get_by_role("button", name="Solo Drums").click()
    mixer.click("#play")
    drums = mixer.locator('.lane[data-part="drums"] .level')
    expect(drums).not_to_have_attribute("style", "transform: scaleX(0);")
    expect(mixer.locator('.lane[data-part="bass"] .level')).to_have_attribute("style", "transform: scaleX(0);")
    mixer.get_by_role("button", name="Solo Drums").click()
    silent(mixer)


def test_layers_are_crossfaded_and_the_piece_as_written_is_one_press_away(mixer: Page) -> None:
    mixer.fill("#intensity", "30")
    expect(mixer.locator("#intensity-place label")).to_have_text("Intensity")
    expect(mixer.locator("#as-written")).to_be_visible()
    gains = mixer.evaluate("""async () => {
      const { gainsAt } = await import("/studio/modules/intensity.js");
      return [0, 0.35, 0.5, 1].map(gainsAt);
    }""")
    assert [sum(gain > 0 for gain in some) for some in gains] == [1, 1, 2, 1]
    assert gains[3][3] == 1
    mixer.click("#as-written")
    expect(mixer.locator("#as-written")).to_be_hidden()


def test_another_take_frees_the_parts_and_the_mix_is_found_again(mixer: Page) -> None:
    mixer.get_by_role("button", name="Solo Bass").click()
    mixer.click("#new-take")
    expect(mixer.locator(".take[role=tab]")).to_have_count(2)
    mixer.wait_for_selector("#download:enabled")
    expect(mixer.locator('.lane[data-part="rain"]')).to_have_count(0)
    silent(mixer)
    mixer.keyboard.press("1")
    expect(mixer.locator("#hearing")).to_have_text("Only bass")
    expect(mixer.locator('.lane[data-part="rain"]')).to_have_count(1)


def test_a_take_that_is_too_long_for_the_memory_is_refused_in_words(mixer: Page) -> None:
    said = mixer.evaluate("""async () => {
      const { checkMemory } = await import("/studio/modules/memory.js");
      checkMemory(8 * 120 * 88200);
      try { checkMemory(8 * 600 * 88200); } catch (error) { return error.problem.advice; }
    }""")
    assert said == "It would need 1.7 GB of memory, at most 600 MB are taken. Download its stems instead."
