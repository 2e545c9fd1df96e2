"""Shaping a take: again with one thing changed, hit points on the timeline, and a video to set them by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect
from started_server import StartedServer, wait_for
from studio_page import make, opened_page, position, settled, silent, sounding

# A canvas that is filmed for a second and dropped as a file.
DROP_VIDEO = """async () => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 64, height: 36 });
  const pen = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm;codecs=vp8" });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const painting = setInterval(() => pen.fillRect(Math.random() * 60, 0, 9, 36), 40);
  recorder.start();
  await new Promise((done) => setTimeout(done, 2500));
  const stopped = new Promise((done) => (recorder.onstop = done));
  recorder.stop();
  await stopped;
  clearInterval(painting);
  const transfer = new DataTransfer();
  transfer.items.add(new File(parts, "cut.webm", { type: "video/webm" }));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""

DROP_SOUND = """() => {
  const samples = new Int16Array(88200).map((_, at) => 8000 * Math.sin(at / 20));
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, one) => head.setUint8(at + one, letter.charCodeAt(0)));
  text(0, "RIFF"), head.setUint32(4, 36 + samples.byteLength, true), text(8, "WAVEfmt "), head.setUint32(16, 16, true);
  head.setUint16(20, 1, true), head.setUint16(22, 1, true), head.setUint32(24, 44100, true);
  head.setUint32(28, 88200, true), head.setUint16(32, 2, true), head.setUint16(34, 16, true);
  text(36, "data"), head.setUint32(40, samples.byteLength, true);
  const transfer = new DataTransfer();
  transfer.items.add(new File([head, samples], "tone.wav", { type: "audio/wav" }));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""

REMAKES = {"Go on from here…": "7", "Make a stretch anew…": "", "In another sound…": "0.25", "Follow its melody…": ""}
"""What installed models make of a sound, and what is filled in beside the words."""

# The gains at which voices start to sound.
HEAR_GAINS = """() => {
  window.gains = [];
  const ramp = AudioParam.prototype.linearRampToValueAtTime;
  AudioParam.prototype.linearRampToValueAtTime = function (value, time) {
    if (value) window.gains.push(value);
    return ramp.call(this, value, time);
  };
}"""

DRIFT = """async () => {
  const video = document.querySelector("#screen video"), wave = document.getElementById("wave"), apart = [];
  const pixels = () => new DOMMatrix(document.getElementById("playhead").style.transform).e;
  const seconds = () => (pixels() / wave.clientWidth) * Number(wave.getAttribute("aria-valuemax"));
  for (let frame = 0; frame < 60; frame += 1) {
    await new Promise(requestAnimationFrame);
    // The first frames are those of the start.
    if (frame > 30) apart.push(Math.abs(video.currentTime - seconds()));
  }
  return { median: apart.sort((a, b) => a - b)[apart.length >> 1], plays: !video.paused };
}"""


@pytest.fixture(scope="module")
def shaped(browser: Browser, server: StartedServer) -> Iterator[tuple[Page, list[str]]]:
    """A page with one take, silent, and what the browser complained of."""
    complaints: list[str] = []
    with opened_page(browser, server.url, complaints) as page:
        make(page)
        silent(page)
        yield page, complaints


def first_take(page: Page) -> int:
    """Go to the first take and return how many there are: a worker may begin with any test of this file."""
    page.locator(".take[role=tab]").first.click()
    return page.locator(".take[role=tab]").count()


def explained_without_hits(answer: Response) -> bool:
    return answer.url.endswith("/api/explain") and '"hits"' not in (answer.request.post_data or "")


def newest_request(server: StartedServer) -> dict[str, Any]:
    jobs = httpx.get(f"{server.url}/api/jobs", params={"limit": 1}).raise_for_status().json()["jobs"]
    request: dict[str, Any] = jobs[0]["request"]
    return request


def finished(page: Page, takes: int) -> None:
    expect(page.locator(".take[role=tab] canvas")).to_have_count(takes)
    page.wait_for_selector("#download:enabled")
    silent(page)


def test_a_take_is_made_again_with_one_thing_changed(shaped: tuple[Page, list[str]], server: StartedServer) -> None:
    page, _ = shaped
    takes, before = first_take(page), newest_request(server)
    key = re.match(r"[A-G]\S? (major|minor)", page.inner_text("#meta"))
    assert key
    page.get_by_role("button", name=f"{key[0]}, again with another key").click()
    page.fill("#again", "D minor")
    page.keyboard.press("Enter")
    finished(page, takes + 1)
    assert newest_request(server) == {**before, "key": "D minor", "model": "composer"}
    child = httpx.get(f"{server.url}/api/tracks", params={"limit": 1}).json()["tracks"][0]
    assert child["parent"]
    expect(page.locator("#change-chips")).to_contain_text(f"Key {key[0]}")
    assert page.inner_text("#meta").startswith("D minor")
    # The one before is a key away, for A/B.
    page.keyboard.press("x")
    expect(page.locator(".take").nth(0)).to_have_attribute("aria-selected", "true")


def test_its_form_is_chosen_from_those_there_are(shaped: tuple[Page, list[str]], server: StartedServer) -> None:
    page, _ = shaped
    takes = first_take(page)
    page.get_by_role("button", name="loop, again with another form").click()
    page.locator("#pop").get_by_role("button", name="track").click()
    finished(page, takes + 1)
    assert "loop" not in newest_request(server)


def test_hit_points_are_set_moved_and_heard_in_the_next_take(
    shaped: tuple[Page, list[str]], server: StartedServer
) -> None:
    page, _ = shaped
    takes, box = first_take(page), page.locator("#wave").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + 60)
    page.keyboard.press("h")
    hit = page.locator(".hit")
    expect(hit).to_have_attribute("aria-label", "Hit, not in the music yet")
    first = float(hit.get_attribute("aria-valuenow") or "nan")
    assert first == pytest.approx(position(page), abs=0.06)
    hit.focus()
    # The explanation may bring a warning that moves what is below it.
    with page.expect_response("**/api/explain"):
        page.keyboard.press("ArrowRight")
    settled(page)
    assert float(page.locator(".hit").get_attribute("aria-valuenow") or "nan") == pytest.approx(
        first + 60 / 84, abs=0.02
    )
    flag = page.locator(".hit span").bounding_box()
    assert flag
    page.mouse.move(flag["x"] + flag["width"] - 4, flag["y"] + 8)
    page.mouse.down()
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] * 0.52, flag["y"] + 8, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    bar = 4 * 60 / 84
    assert float(page.locator(".hit").get_attribute("aria-valuenow") or "nan") == pytest.approx(bar, abs=0.02)
    page.set_viewport_size({"width": 820, "height": 1180})
    again, ruler = page.locator("#again-hits").bounding_box(), page.locator("#ruler").bounding_box()
    assert again
    assert ruler
    assert again["x"] + again["width"] <= ruler["x"]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.click("#again-hits")
    finished(page, takes + 1)
    (asked,) = newest_request(server)["hits"]
    assert asked["time"] == pytest.approx(bar, abs=0.02)
    expect(page.locator(".hit")).to_have_attribute("aria-label", "Hit")
    expect(page.locator("#again-hits")).to_be_hidden()


def test_a_hit_becomes_the_climax_or_goes(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    if not page.locator(".hit").count():
        first_take(page)
        page.locator("#wave").click()
        page.keyboard.press("h")
    page.locator(".hit").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="The climax").click()
    expect(page.locator(".hit")).to_contain_text("Climax")
    expect(page.locator("#clear-hits")).to_have_text("1 hit")
    page.locator(".hit").focus()
    # The brief is read again a moment later, and the test of the video takes every request for one of its own.
    with page.expect_response(explained_without_hits):
        page.keyboard.press("Delete")
    expect(page.locator(".hit")).to_have_count(0)
    expect(page.locator("#clear-hits")).to_be_hidden()


def test_a_video_plays_with_the_music_and_stays_in_the_browser(shaped: tuple[Page, list[str]]) -> None:
    page, complaints = shaped
    # A hit that no tempo meets was refused before, which the browser notes.
    complaints.clear()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.post_data_buffer else None)
    page.evaluate(DROP_VIDEO)
    page.wait_for_selector("#screen video")
    page.keyboard.press("Home")
    page.click("#play")
    drift = page.evaluate(DRIFT)
    assert drift["plays"]
    assert drift["median"] < 0.04
    silent(page)
    page.keyboard.press("ArrowRight")
    shown = "document.querySelector('#screen video').currentTime"
    wait_for(lambda: page.evaluate(shown) == pytest.approx(position(page), abs=0.1), "the video to follow")
    page.get_by_role("button", name="Remove the video").click()
    expect(page.locator("#screen")).to_be_hidden()
    assert sent == []
    assert complaints == []


def total(page: Page) -> str:
    return page.inner_text("#total")


def reshape(page: Page, name: str) -> None:
    page.click("#dots")
    page.locator("#pop").get_by_role("button", name=name).click()


def test_a_take_is_fitted_to_a_length_and_kept_beside_itself(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    takes = first_take(page)
    reshape(page, "Fit to a length…")
    page.fill("#shape", "0:03")
    page.keyboard.press("Enter")
    expect(page.locator(".take[role=tab]")).to_have_count(takes + 1)
    expect(page.locator("#title")).to_have_text("Warm Lofi Hip Hop, fitted to 0:03")
    assert total(page) == "0:03.0"
    silent(page)
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename.endswith(".wav")


def test_a_dropped_sound_is_joined_with_a_take_in_the_order_wished(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    takes = page.locator(".take[role=tab]").count()
    page.evaluate(DROP_SOUND)
    expect(page.locator("#title")).to_have_text("tone")
    assert total(page) == "0:02.0"
    silent(page)
    reshape(page, "Join with others…")
    page.locator("#join-choices").get_by_role("button", name="+ A, ").click()
    page.get_by_role("button", name=re.compile("^A, .*: earlier")).click()
    expect(page.locator("#sequence li").first).to_contain_text("1. A")
    page.locator("#sequence li").nth(1).drag_to(page.locator("#sequence li").nth(0))
    expect(page.locator("#sequence li").nth(1)).to_contain_text("2. A")
    page.click("#join-now")
    expect(page.locator("#title")).to_have_text("tone + Warm Lofi Hip Hop, joined")
    expect(page.locator(".take[role=tab]")).to_have_count(takes + 2)
    silent(page)


def test_a_louder_take_is_turned_down_to_the_quietest(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    first_take(page)
    loud = float(re.sub("[^0-9.-]", "", page.inner_text("#lufs").replace("\u2212", "-")))
    reshape(page, "Set its loudness…")
    page.fill("#shape", "-35")
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text("Warm Lofi Hip Hop, at -35 LUFS")
    silent(page)
    page.evaluate(HEAR_GAINS)
    page.click("#play")
    sounding(page)
    page.locator(".take[role=tab]").first.click()
    wait_for(lambda: page.evaluate("window.gains.length") == 2, "the first take to sound")
    assert page.evaluate("window.gains") == pytest.approx([1, 10 ** ((-35 - loud) / 20)], rel=0.03)
    silent(page)


def test_a_sound_becomes_a_loop(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    page.evaluate(DROP_SOUND)
    expect(page.locator("#title")).to_have_text("tone")
    silent(page)
    reshape(page, "Make it a loop")
    expect(page.locator("#title")).to_have_text("tone, as a loop")
    expect(page.locator("#loop")).to_have_attribute("aria-pressed", "true")
    silent(page)


def test_what_installed_models_can_do_with_a_sound_is_offered(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    first_take(page)
    page.click("#dots")
    expect(page.locator("#pop")).not_to_contain_text("Make a stretch anew")
    page.keyboard.press("Escape")
    asked: list[Any] = []

    def models(route: Route) -> None:
        listed = route.fetch().json()
        other = next(model for model in listed["models"] if not model["installed"])
        other |= {"installed": True, "abilities": ["continue", "melody", "redress", "repaint"]}
        route.fulfill(json=listed)

    def jobs(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "{}"))
        error = {"type": "InvalidRequest", "message": "prompt: enough", "field": "prompt"}
        route.fulfill(status=422, json={"error": error})

    page.route("**/api/models", models)
    page.route("**/api/jobs", jobs)
    page.context.set_offline(True)
    expect(page.locator("#banner")).to_contain_text("does not answer")
    with page.expect_response("**/api/models"):
        page.context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#model option")).to_have_count(2)
    seconds = float(page.get_attribute("#wave", "aria-valuemax") or "nan")
    for name, box in REMAKES.items():
        reshape(page, name)
        page.fill("#remake", "a guitar solo")
        if box:
            page.fill("#remake-number", box)
        with page.expect_response("**/api/jobs"):
            page.locator("#pop").get_by_role("button", name="Make it").click()
        expect(page.locator("#ask-problem")).to_contain_text("enough")
    assert [request["prompt"] for request in asked] == ["a guitar solo"] * len(REMAKES)
    longer, anew, redressed, followed = asked
    assert longer["duration"] == pytest.approx(seconds + 7, abs=0.1)
    assert re.fullmatch(r"0.00-\d+\.\d\d", anew["repaint"])
    assert redressed["strength"] == 0.25
    assert all(len(request["audio"]) > 100_000 for request in (longer, anew, redressed))
    assert len(followed["melody"]) > 100_000
    page.unroute_all()


def test_a_model_is_unloaded(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    page.click("#tab-models")
    page.get_by_role("button", name="Unload Composer").click()
    expect(page.get_by_role("button", name="Unload Composer")).to_have_count(0)
    expect(page.locator("#server-note")).to_contain_text("none at work")
    page.click("#tab-library")


def test_what_is_no_sound_and_no_video_is_refused_in_words(shaped: tuple[Page, list[str]]) -> None:
    page, _ = shaped
    page.evaluate("""() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["x"], "notes.txt", { type: "text/plain" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }""")
    expect(page.locator("#banner")).to_contain_text(re.compile("notes.txt is neither a sound nor a video"))
