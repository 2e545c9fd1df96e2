"""What people do on the studio's page, for its tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browser import PATIENCE_MS
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, ViewportSize

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PROMPT = "warm lofi hip hop with a Rhodes and rain, 84 bpm"
# How far what is heard of a loop is from the file, at worst, over two and a half times its length.
SEAM = """async () => {
  const { loopSource } = await import("/studio/modules/loop_source.js");
  const { tracks } = await (await fetch("/api/tracks?limit=1")).json();
  const file = await (await fetch(tracks[0].audio)).arrayBuffer();
  const buffer = await new OfflineAudioContext(2, 1, 44100).decodeAudioData(file);
  const frames = Math.floor(buffer.length * 2.5);
  const context = new OfflineAudioContext(2, frames, 44100);
  const region = REGION;
  const source = loopSource(context, buffer, region);
  source.connect(context.destination);
  source.start(0, region.start);
  const heard = (await context.startRendering()).getChannelData(0), given = buffer.getChannelData(0);
  const first = Math.round(region.start * 44100), length = Math.round(region.end * 44100) - first;
  let worst = 0;
  for (let at = 0; at < frames; at += 1) {
    worst = Math.max(worst, Math.abs(heard[at] - given[first + (at % length)]));
  }
  return { worst, length: buffer.length };
}"""


# Frames, not milliseconds: a busy machine draws fewer.
SETTLED = """async () => {
  const place = () => JSON.stringify(document.querySelector("#ruler").getBoundingClientRect());
  for (let still = 0, before = ""; still < 8; before = place()) {
    await new Promise(requestAnimationFrame);
    still = place() === before ? still + 1 : 0;
  }
}"""

AXE = Path(__file__).parents[1] / "clients" / "js" / "node_modules" / "axe-core" / "axe.min.js"
# Every rule on every element; of those that pass, and of where an element is, nothing is written down.
RUN = 'axe.run({ resultTypes: ["violations"], selectors: false })'

# What the studio keeps is kept for all documents of its address and for the window, which is named for who comes again.
FORGET = """if (location.protocol === "http:" && top === self && name !== "used") {
  localStorage.clear();
  sessionStorage.clear();
  name = "used";
}"""


@contextmanager
def opened_page(browser: Browser, url: str, complaints: list[str] | None = None) -> Iterator[Page]:
    """Open the studio of a server in a window of its own; what the browser complains of is added to ``complaints``."""
    with new_window(browser) as page, _watched(page, url, [] if complaints is None else complaints):
        _show(page, url)
        yield page


@contextmanager
def new_window(browser: Browser) -> Iterator[Page]:
    """Open a window with an empty page, which knows of no other."""
    with browser.new_context(viewport=DESKTOP) as context:
        page = context.new_page()
        page.add_init_script(FORGET)
        page.set_default_timeout(PATIENCE_MS)
        yield page


@contextmanager
def reopened_page(page: Page, url: str, complaints: list[str]) -> Iterator[Page]:
    """Open the studio as ``opened_page`` does, as for the first time, in a window that has been used before."""
    with _watched(page, url, complaints):
        _show(page, url)
        yield page
    page.unroute_all()
    page.evaluate("() => { name = ''; }")
    page.goto("about:blank")
    page.context.set_offline(False)
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.set_viewport_size(DESKTOP)
    for other in page.context.pages:
        if other != page:
            other.close()


def _show(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".dot.ready")


@contextmanager
def _watched(page: Page, url: str, complaints: list[str]) -> Iterator[None]:
    """Add what the browser complains of while the block lasts."""

    def note_console(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            complaints.append(said.text)

    def note_error(error: Error) -> None:
        complaints.append(str(error))

    def note_request(request: Request) -> None:
        _note_foreign(request.url, url, complaints)

    page.on("console", note_console)
    page.on("pageerror", note_error)
    page.on("request", note_request)
    yield
    page.remove_listener("console", note_console)
    page.remove_listener("pageerror", note_error)
    page.remove_listener("request", note_request)


def _note_foreign(url: str, own: str, complaints: list[str]) -> None:
    if not url.startswith((own, "blob:", "data:")):
        complaints.append(f"a request to {url}")


def ask(page: Page, prompt: str = PROMPT, length: str = "2 bars", takes: int = 1, seed: str = "11") -> None:
    """Fill in what is asked for, without making it."""
    page.fill("#prompt", prompt)
    # Folded on a phone.
    if page.is_hidden("#length"):
        page.click("#summary")
    page.fill("#length", length)
    page.select_option("#count", str(takes))
    page.fill("#seed", seed)


def make(page: Page, takes: int = 1, **asked: str) -> None:
    """Make takes, and wait until the last of them sounds or could."""
    ask(page, takes=takes, **asked)
    page.press("#prompt", "Enter")
    page.wait_for_selector(f".take:nth-child({takes}) canvas")
    page.wait_for_selector("#download:enabled")


def position(page: Page) -> float:
    """Return where the playhead is, in seconds."""
    return float(page.get_attribute("#wave", "aria-valuenow") or "nan")


def settled(page: Page) -> None:
    """Wait until the page has drawn some frames in which nothing has moved the timeline."""
    page.evaluate(SETTLED)


def sounding(page: Page) -> None:
    """Wait until it plays."""
    page.wait_for_selector('#play[aria-label="Pause"]')


def silent(page: Page) -> None:
    """Pause what plays."""
    if page.get_attribute("#play", "aria-label") == "Pause":
        page.click("#play")
    page.wait_for_selector('#play[aria-label="Play"]')


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong."""
    if not page.evaluate("'axe' in window"):
        # Not as a script of the page, whose policy would refuse it.
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(RUN)
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]
