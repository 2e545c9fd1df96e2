"""The side panel: the prompt log as a library, downloads, and the models."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import mido
import pytest
import soundfile
import yaml
from browser import PATIENCE_MS
from checkpoints import copy_musicgen
from hub_server import hub_server
from playwright.sync_api import Browser, Page, Route, expect
from started_server import StartedServer, started
from studio_page import ask, make, violations


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    """Give a server in whose library there is nothing but what the tests here make."""
    with started(tmp_path_factory.mktemp("data"), composer_processes="1") as server:
        yield server


# What the bar of a pull says while it is there.
NOTE_PROGRESS = """() => {
  window.progress = [];
  const note = () => {
    const bar = document.querySelector("#models [role=progressbar]");
    if (bar) window.progress.push(bar.getAttribute("aria-valuenow"));
  };
  new MutationObserver(note).observe(document.querySelector("#models"), { subtree: true, childList: true });
}"""
SETTINGS = {"Guidance": "2.5", "Temperature": "0.8", "Top k": "20", "Avoid": "drums"}


def told_inexact(route: Route) -> None:
    """Let the server's score pass, as one that another version's sound may not have."""
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "is_exact": False})


def saved(page: Page, button: str) -> bytes:
    """Press a button and return the file that it saves."""
    with page.expect_download() as download:
        page.locator("#downloads").get_by_role("button", name=button).click()
    return Path(download.value.path()).read_bytes()


def test_mix_stems_midi_and_score_are_downloaded(page: Page) -> None:
    make(page)
    mix = soundfile.info(io.BytesIO(saved(page, "WAV")))
    assert (mix.frames, mix.samplerate) == (252_000, 44_100)
    with zipfile.ZipFile(io.BytesIO(saved(page, "Stems"))) as stems:
        parts = {re.sub(r"^.*/?\d\d-|\.wav$", "", name) for name in stems.namelist()}
    assert {"melody", "bass", "rain"} <= parts
    assert mido.MidiFile(file=io.BytesIO(saved(page, "MIDI"))).length == pytest.approx(mix.duration, abs=0.1)
    assert "84" in str(yaml.safe_load(saved(page, "Score"))["tempo"])


def test_a_piece_is_starred_rated_tagged_and_found(page: Page) -> None:
    make(page, prompt="slow jazz trio, 90 bpm")
    page.keyboard.press("Escape")
    page.click("#star")
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "true")
    page.click("#dots")
    page.get_by_role("button", name="4 of 5").click()
    page.fill("#tags", "level 2, calm")
    page.keyboard.press("Enter")
    row = page.locator(".row-item", has_text="Slow Jazz Trio")
    expect(row).to_contain_text("★★★★ · level 2 · calm")
    page.click("#filter-starred")
    expect(page.locator(".row-item")).to_have_count(1)
    page.click("#filter-all")
    page.fill("#search", "jazz")
    expect(page.locator(".row-item")).to_have_count(1)
    page.fill("#search", "nothing such")
    expect(page.locator("#count-note")).to_have_text("Nothing found for “nothing such”.")


def test_a_piece_is_varied_repeated_and_forgotten(page: Page) -> None:
    make(page, prompt="podcast intro, confident, 100 bpm")
    page.click("#vary")
    expect(page.locator(".take[role=tab]")).to_have_count(4)
    page.wait_for_selector(".take:nth-child(4) canvas")
    expect(page.locator(".row-item.child")).to_have_count(3)
    page.click("#dots")
    page.get_by_role("button", name="Repeat it exactly").click()
    expect(page.locator(".take[role=tab]")).to_have_count(5)
    page.wait_for_selector("#download:enabled")
    assert "seed 11" in page.inner_text("#meta")
    before = page.locator(".row-item").count()
    page.click("#dots")
    page.get_by_role("button", name="Forget it").click()
    expect(page.locator(".row-item")).to_have_count(before - 1)


def test_a_piece_of_the_library_comes_back_to_the_stage(page: Page) -> None:
    make(page, prompt="calm harp, 70 bpm")
    page.evaluate("sessionStorage.clear()")
    page.reload()
    # As if another version had made it.
    page.route("**/api/tracks/*/score", told_inexact)
    page.locator(".row-item", has_text="Calm Harp").first.click()
    page.wait_for_selector("#download:enabled")
    assert page.input_value("#prompt") == "calm harp, 70 bpm"
    assert page.input_value("#length") == "2 bars"
    assert "70 bpm" in page.inner_text("#meta")
    page.get_by_role("button", name="Notes may differ").click()
    expect(page.locator("#pop")).to_contain_text("Another version of Tunesmith made this sound.")


def test_what_is_made_while_the_list_shows_something_else_is_in_the_library_all_the_same(page: Page) -> None:
    page.fill("#search", "nothing such")
    expect(page.locator("#count-note")).to_have_text("Nothing found for “nothing such”.")
    make(page, prompt="soft strings, 60 bpm")
    page.click("#star")
    expect(page.locator("#star")).to_have_attribute("aria-pressed", "true")
    page.wait_for_selector(".lane")
    page.fill("#search", "soft strings")
    expect(page.locator(".row-item svg.on")).to_have_count(1)


def test_a_model_is_installed_with_its_licence_shown(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_musicgen(tmp_path / "checkpoint")
    with hub_server() as hub:
        hub.share("facebook/musicgen-small", tmp_path / "checkpoint", licence="cc-by-nc-4.0")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
        with started(tmp_path / "data") as server, browser.new_context() as context:
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(server.url)
            page.wait_for_selector(".dot.ready")
            page.click("#tab-models")
            model = page.locator(".model", has=page.get_by_role("heading", name="musicgen-small", exact=True))
            expect(model).to_contain_text("Not for commercial use: cc-by-nc-4.0")
            expect(model).to_contain_text("2.4 GB to download")
            page.evaluate(NOTE_PROGRESS)
            accepted = page.get_by_label("I accept its licence").first
            accepted.check()
            model.get_by_role("button", name="Install").click()
            expect(model).to_contain_text("Installed")
            # What somebody fills in for another model stays while this one is installed.
            expect(accepted).to_be_checked()
            assert all(re.fullmatch(r"\d+", one) for one in page.evaluate("window.progress"))
            assert page.evaluate("window.progress.length")
            page.select_option("#model", "musicgen-small")
            expect(page.locator("#form")).to_be_hidden()
            # Bars are the composer's; what is its own is shown instead, and sent.
            assert page.input_value("#length") == ""
            ask(page, prompt="noise", length="1 s")
            for name, value in SETTINGS.items():
                page.get_by_label(name, exact=True).fill(value)
            assert violations(page) == []
            page.press("#prompt", "Enter")
            page.wait_for_selector("#download:enabled")
            (job,) = httpx.get(f"{server.url}/api/jobs").json()["jobs"]
            expected = {"guidance_scale": 2.5, "temperature": 0.8, "top_k": 20, "negative_prompt": "drums"}
            assert {name: job["request"].get(name) for name in expected} == expected
            page.get_by_label("Top p").fill("7")
            page.press("#prompt", "Enter")
            expect(page.locator("#ask-problem")).to_contain_text(re.compile("Top p must be .*1"))
            expect(page.get_by_label("Top p")).to_have_attribute("aria-invalid", "true")
            page.select_option("#model", "composer")
            expect(page.get_by_label("Top k")).to_have_count(0)
