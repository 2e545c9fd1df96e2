"""What is measured inside the page, as scripts of the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

AXE = Path(__file__).parents[2] / "tests" / "clients" / "js" / "node_modules" / "axe-core" / "axe.min.js"

INTERACTIVE = """
new MutationObserver((_, observer) => {
  if (!document.getElementById("make-label")?.textContent) return;
  window.interactiveMs = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
"""Notes when the page has drawn its button, which is when every module runs and the prompt takes words."""

AUDIBLE = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target === this.context?.destination && this.context instanceof AudioContext && !window.meter) {
    window.meter = new AnalyserNode(this.context, { fftSize: 2048 });
    connect.call(this, window.meter);
  }
  return connect.call(this, target, ...rest);
};
addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const began = performance.now(), samples = new Float32Array(2048);
  window.audibleMs = undefined;
  let isOver = !window.meter;
  const look = () => {
    window.meter?.getFloatTimeDomainData(samples);
    const sounds = Boolean(window.meter) && samples.some((sample) => Math.abs(sample) > 1e-3);
    // What sounded before fades first, on a busy machine later.
    isOver ||= !sounds;
    if (isOver && sounds) window.audibleMs = performance.now() - began;
    else setTimeout(look, 5);
  };
  look();
}, true);
"""
"""Listens at the loudspeaker: notes the time from Enter to the first sample above -60 dBFS."""

FRAMES = """async (seconds) => {
  const times = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) times.push(await new Promise(requestAnimationFrame));
  return times.slice(1).map((time, at) => time - times[at]);
}"""
"""Returns the milliseconds between frames over so many seconds."""

SCROLL = """(share) => {
  const side = document.getElementById("side");
  side.scrollTop = share * (side.scrollHeight - side.clientHeight);
}"""
"""Scrolls the library to a share of its length, 0 to 1."""

SCROLL_ON = """async (frames) => {
  const side = document.getElementById("side"), times = [];
  for (let frame = 0; frame <= frames; frame += 1) {
    side.scrollTop += side.clientHeight / 4;
    times.push(await new Promise(requestAnimationFrame));
  }
  return times.slice(1).map((time, at) => time - times[at]);
}"""
"""Scrolls the library a quarter of a screen a frame, and returns the milliseconds between so many frames."""

TRANSFERS = """() => {
  const own = performance.getEntriesByType("resource").filter((one) => !one.name.includes("/api/"));
  const all = [...performance.getEntriesByType("navigation"), ...own];
  const sum = (which) => all.reduce((total, one) => total + one[which], 0);
  return { files: all.length, bodies: sum("encodedBodySize"), wire: sum("transferSize") };
}"""
"""Returns how many files the page itself is, their compressed bytes, and those with their headers."""


def new_page(browser: Browser, url: str, width: int = 1440, height: int = 900) -> Page:
    """Open the page with nothing in the cache, all probes in place."""
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(INTERACTIVE)
    page.add_init_script(AUDIBLE)
    page.goto(url)
    page.wait_for_selector(".dot.ready", state="attached")
    return page


def transferred_bytes(browser: Browser, url: str) -> dict[str, int]:
    """Return what the page itself takes until it is ready: its files, their compressed bytes, those with headers."""
    page = new_page(browser, url)
    sizes: dict[str, int] = page.evaluate(TRANSFERS)
    page.context.close()
    return sizes


def heap_bytes(page: Page) -> int:
    """Return the bytes of the page's live JavaScript objects."""
    wire = page.context.new_cdp_session(page)
    wire.send("HeapProfiler.collectGarbage")
    wire.send("Performance.enable")
    return int(metric(wire, "JSHeapUsedSize"))


def metric(wire: CDPSession, name: str) -> float:
    """Return a measure of the browser's own; ``wire`` is a session in which they are enabled."""
    metrics: list[dict[str, Any]] = wire.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == name))


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]
