"""Using a take: its formats with the licence beside them, and the same from a program, run as it is copied."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect
from started_server import StartedServer
from studio_page import make, opened_page, silent

PROMPT = 'warm lofi hip hop, it\'s "late", 84 bpm'


@pytest.fixture(scope="module")
def made(browser: Browser, server: StartedServer) -> Iterator[Page]:
    with opened_page(browser, server.url) as page:
        make(page, prompt=PROMPT, length="1 bars")
        silent(page)
        yield page


def program(page: Page, language: str) -> str:
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("tab", name=language).click()
    text = page.inner_text("#snippet")
    page.keyboard.press("Escape")
    return text


def test_the_shell_line_and_the_python_program_make_the_same_bytes(
    made: Page, server: StartedServer, tmp_path: Path
) -> None:
    (track,) = httpx.get(f"{server.url}/api/tracks", params={"limit": 1}).json()["tracks"]
    own = httpx.get(server.url + track["audio"]).content
    for number, command in enumerate((
        ["bash", "-c", program(made, "Shell")], [sys.executable, "-c", program(made, "Python")],
    )):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(command, cwd=folder, check=True, timeout=60)
        (written,) = folder.iterdir()
        assert written.name == "warm-lofi-hip-hop-11.wav"
        assert written.read_bytes() == own


def test_the_program_in_javascript_says_the_same(made: Page) -> None:
    text = program(made, "JavaScript")
    assert 'server.generate("warm lofi hip hop, it\'s \\"late\\", 84 bpm", {' in text
    assert "  loop: true,\n  bars: 1,\n  seed: 11,\n" in text


def test_every_format_is_offered_with_its_licence(made: Page) -> None:
    made.get_by_role("button", name="Another format").click()
    expect(made.locator("#pop")).to_contain_text("Free to use, also commercially")
    expect(made.locator("#pop")).to_contain_text("Loops stay exact to the sample in WAV, FLAC and Ogg.")
    names = [text.splitlines()[0] for text in made.locator("#pop .menu button").all_inner_texts()]
    assert names == ["WAV", "FLAC", "MP3", "Ogg Vorbis", "Opus"]


@pytest.mark.parametrize(("name", "ending", "kind"), [
    ("FLAC", "flac", "FLAC"), ("MP3", "mp3", "MP3"), ("Ogg Vorbis", "ogg", "OGG"), ("Opus", "opus", "OGG"),
])  # fmt: skip
def test_a_format_is_downloaded_as_a_file_of_it(made: Page, name: str, ending: str, kind: str) -> None:
    made.keyboard.press("Escape")
    made.get_by_role("button", name="Another format").click()
    with made.expect_download() as download:
        made.locator("#pop").get_by_role("button", name=name).click()
    assert download.value.suggested_filename == f"warm-lofi-hip-hop-11.{ending}"
    assert soundfile.info(io.BytesIO(Path(download.value.path()).read_bytes())).format == kind


def test_the_program_is_copied(made: Page) -> None:
    made.get_by_role("button", name="Use it").click()
    made.get_by_role("button", name="Copy").click()
    expect(made.locator("#copied")).to_have_text("Copied")
    made.keyboard.press("Escape")
    expect(made.locator("#code")).to_be_hidden()
