"""Take the screenshots of the studio in docs/media: a changed take, a chord, a part alone in the dark, a phone.

    python tools/make_screenshots.py

A server is started in an empty folder, its library is filled, and Chromium does what a person would.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tunesmith import Tunesmith

MEDIA = Path(__file__).parent.parent / "docs" / "media"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PROMPT = "warm lofi hip hop with a Rhodes and rain, 84 bpm"
LIBRARY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("funky clavinet groove for a product video", {"duration": 15, "seed": 4}),
    ("ambient pad for a museum film", {"duration": 40, "seed": 9}),
    ("música tranquila de piano para estudiar", {"duration": 20, "seed": 7}),
    ("slow jazz trio", {"duration": 30, "seed": 2}),
    ("epic orchestral battle theme with choir", {"duration": 24, "seed": 21}),
    ("bossa nova with nylon guitar", {"duration": 18, "seed": 31}),
    ("upbeat 8-bit chiptune for a platformer", {"bars": 8, "loop": True, "seed": 5}),
    ("hopeful corporate background, piano and strings", {"duration": 30, "seed": 3}),
)
STARRED = ("jazz", "corporate")
COLOURS = 192
TRANSPORT = 64
"""The height of the transport, in pixels."""


def main() -> None:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit("the screenshots need Chromium: install chromium or google-chrome")
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as url, sync_playwright() as playwright:
        fill_library(url)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--mute-audio"])
        # A longer window than a screen, for the whole of the take.
        keep(desktop(new_page(browser, url, (1440, 1040), "light")), "studio.png")
        keep(chords(new_page(browser, url, (1100, 900), "light")), "studio-chords.png", "#stage")
        keep(tablet(new_page(browser, url, (820, 1180), "dark")), "studio-dark.png")
        keep(phone(new_page(browser, url, (390, 844), "light")), "studio-phone.png")
        browser.close()


@contextmanager
def started(folder: Path) -> Iterator[str]:
    """Start a server over an empty folder, and give its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "serve", "--port", "0"],
        env={**os.environ, "TUNESMITH_DATA_DIR": str(folder), "TUNESMITH_DRAIN_SECONDS": "0"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stderr
        found = next(match for line in server.stderr if (match := ADDRESS.search(line)))
        # What it says from now on is read by nobody, and must not fill the pipe.
        subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
        yield found[0]
    finally:
        server.terminate()
        server.wait()


def fill_library(url: str) -> None:
    with Tunesmith(url) as client:
        for prompt, fields in LIBRARY:
            client.generate(prompt, **fields)
        for word in STARRED:
            client.mark(client.tracks(word)[0]["id"], starred=True)


def new_page(browser: Browser, url: str, size: tuple[int, int], theme: Any) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
    page.set_default_timeout(60_000)
    page.goto(url)
    page.wait_for_selector(".dot.ready", state="attached")
    return page


def ask(page: Page, takes: int) -> None:
    """Make takes, and wait for the last."""
    page.fill("#prompt", PROMPT)
    if page.is_hidden("#length"):
        page.click("#summary")
    page.fill("#length", "8 bars")
    page.select_option("#count", str(takes))
    page.fill("#seed", "11")
    page.press("#prompt", "Enter")
    finish(page, takes)


def finish(page: Page, takes: int) -> None:
    page.wait_for_selector(f".take:nth-child({takes}) canvas")
    page.wait_for_selector("button.ch")


def hear(page: Page, share: float) -> None:
    """Be in the middle of it, and leave the mouse where it marks nothing."""
    box = page.locator("#wave").bounding_box()
    assert box
    if page.get_attribute("#play", "aria-label") == "Play":
        page.click("#play")
    page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    page.mouse.move(2, 2)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(700)


def desktop(page: Page) -> Page:
    ask(page, 3)
    page.fill("#change-words", "add a flute")
    page.wait_for_selector("#change-chips .chip")
    page.press("#change-words", "Enter")
    finish(page, 4)
    hear(page, 0.38)
    return page


def chords(page: Page) -> Page:
    ask(page, 1)
    hear(page, 0.2)
    page.click("#play")
    page.locator("button.ch").nth(5).click()
    page.wait_for_selector("#chord")
    return page


def tablet(page: Page) -> Page:
    ask(page, 3)
    page.get_by_role("button", name="Solo Melody").click()
    page.wait_for_selector('#lanes[aria-busy="false"]')
    hear(page, 0.6)
    return page


def phone(page: Page) -> Page:
    ask(page, 3)
    hear(page, 0.3)
    page.evaluate("scrollTo(0, 0)")
    return page


def in_sight(page: Page, part: str) -> Any:
    """Return what is in sight of a part of the page, as a rectangle."""
    box, size = page.locator(part).bounding_box(), page.viewport_size
    assert box
    assert size
    return {**box, "height": min(box["height"], size["height"] - TRANSPORT - box["y"])}


def keep(page: Page, name: str, part: str = "") -> None:
    """Keep a picture of the page, or of a part of it, in few colours: a third of the size, and it looks the same."""
    shot = page.screenshot(clip=in_sight(page, part)) if part else page.screenshot()
    path = MEDIA / name
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{name}: {path.stat().st_size / 1000:.0f} kB")
    page.context.close()


if __name__ == "__main__":
    main()
