"""What people do on the studio's page, for its tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from browser import PATIENCE_MS
from playwright.sync_api import Browser, Page

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


@contextmanager
def opened_page(browser: Browser, url: str, complaints: list[str] | None = None) -> Iterator[Page]:
    """Open the studio of a server in a window of its own; what the browser complains of is added to ``complaints``."""
    noted = [] if complaints is None else complaints
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: noted.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: noted.append(str(error)))
        page.on("request", lambda request: _note_foreign(request.url, url, noted))
        page.goto(url)
        page.wait_for_selector(".dot.ready")
        yield page


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


def sounding(page: Page) -> None:
    """Wait until it plays."""
    page.wait_for_selector('#play[aria-label="Pause"]')


def silent(page: Page) -> None:
    """Pause what plays."""
    if page.get_attribute("#play", "aria-label") == "Pause":
        page.click("#play")
    page.wait_for_selector('#play[aria-label="Play"]')
