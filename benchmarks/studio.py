"""The studio's page in Chromium against a started server; the last line is JSON.

Bytes of the page, time until it takes words, from Enter to the first audible sample, frames while eight parts and their
notes play, memory with a library of 10,000 tracks, and what axe-core finds. Runs for about two minutes.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from hardware import print_hardware, print_result
from server_parts.running_server import RunningServer
from studio_parts.probes import FRAMES, SCROLL, SCROLL_ON, heap_bytes, metric, new_page, transferred_bytes, violations
from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tracks import NewTrack, Tracks

LOADS, PROMPTS, TRACKS, AT_ONCE = 7, 5, 10_000, 1_000
FRAME_SECONDS, SCROLLS, SCROLLED_FRAMES = 8, 100, 400
# One and a half ticks of a display of 60 Hz.
LATE_MS = 25.0
PROMPT = "calm piano, 70 bpm"
BAND = "epic orchestral battle theme with choir"
PARTS = 8
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SIZES = ((390, 844), (820, 1180), (1440, 900))


def ask(page: Page, prompt: str, length: str, takes: int = 1) -> None:
    """Ask for music and wait until its downloads are open."""
    page.fill("#prompt", prompt)
    if page.is_hidden("#length"):
        page.click("#summary")
    page.fill("#length", length)
    page.select_option("#count", str(takes))
    page.press("#prompt", "Enter")
    page.wait_for_selector(f".take[role=tab]:nth-child({takes}) canvas")
    page.wait_for_selector("#download:enabled")


def measure_loading(browser: Browser, url: str) -> dict[str, float]:
    """Open the page with an empty cache, some times."""
    times = []
    for _ in range(LOADS):
        page = new_page(browser, url)
        times.append(float(page.evaluate("window.interactiveMs")))
        page.context.close()
    sizes = transferred_bytes(browser, url)
    kilobytes = {name: round(value / 1000) for name, value in sizes.items()}
    print(f"{sizes['files']} files, {kilobytes['bodies']} kB compressed, {kilobytes['wire']} kB with their headers")
    return {"transferred_kb": sizes["bodies"] / 1000, "interactive_ms": statistics.median(times)}


def measure_answer(browser: Browser, url: str) -> float:
    """Return the median milliseconds from Enter to sound, after a first piece that warms the composer."""
    page = new_page(browser, url)
    ask(page, PROMPT, "8 bars")
    times = []
    for number in range(PROMPTS):
        ask(page, f"{PROMPT}, scene {number}", "8 bars")
        while (heard := page.evaluate("window.audibleMs")) is None:
            page.wait_for_timeout(20)
        times.append(float(heard))
    page.context.close()
    return statistics.median(times)


def measure_frames(browser: Browser, url: str) -> dict[str, float]:
    """Play a band of eight parts or more from their stems, one of them softer, and watch the frames."""
    page = new_page(browser, url)
    ask(page, BAND, "0:30")
    page.wait_for_selector(f".lane:nth-child({PARTS})")
    page.locator(".lane input").first.fill("-3")
    page.wait_for_selector('#lanes[aria-busy="false"]')
    page.wait_for_timeout(500)
    if page.get_attribute("#play", "aria-label") == "Play":
        page.click("#play")
    page.wait_for_timeout(500)
    wire = page.context.new_cdp_session(page)
    # The processor's time, which other programs do not lengthen.
    wire.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = metric(wire, "TaskDuration")
    frames = page.evaluate(FRAMES, FRAME_SECONDS)
    work = (metric(wire, "TaskDuration") - before) * 1000 / len(frames)
    parts = page.locator(".lane").count()
    page.goto("about:blank")
    # The browser's clock shows tenths, and its ticks tremble: a page that draws nothing has the same percentile.
    empty = percentile(page.evaluate(FRAMES, FRAME_SECONDS))
    page.context.close()
    late = sum(frame > LATE_MS for frame in frames)
    print(f"{parts} parts, {len(frames)} frames, {late} of them late, {work:.1f} ms of the processor's time each")
    print(f"an empty page has {empty:.1f} ms between its frames, 95th percentile")
    return {"frame_ms_p95_playing": percentile(frames), "frame_work_ms": work}


def percentile(frames: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(frames)[int(0.95 * len(frames))]


def track_of(number: int) -> NewTrack:
    """Return a track as the prompt log lists it, without a file."""
    request = {"prompt": f"scene {number}", "seed": number, "model": "composer"}
    metadata = {"title": f"Scene {number}", "figure": [[step * 4, 3, 60 + step % 12] for step in range(48)]}
    return NewTrack(request, "composer", "composer", "api", 30.0, metadata=metadata)


def measure_library(browser: Browser, url: str, data: Path) -> dict[str, float]:
    """Scroll through a library of 10,000 tracks: its frames, and the memory of the page after the last track."""
    log = Tracks(open_database(Settings(data_dir=data)))
    for start in range(0, TRACKS, AT_ONCE):
        log.add(*(track_of(number) for number in range(start, start + AT_ONCE)))
    page = new_page(browser, url)
    page.wait_for_selector("#rows .row-item")
    frames = page.evaluate(SCROLL_ON, SCROLLED_FRAMES)
    for step in range(SCROLLS + 1):
        page.evaluate(SCROLL, step / SCROLLS)
        page.wait_for_timeout(50)
    print(f"library: {page.inner_text('#count-note')}, {page.locator('#rows li').count()} rows in the document")
    heap = heap_bytes(page) / 1e6
    page.context.close()
    return {"heap_mb_10000_tracks": heap, "frame_ms_p95_scrolling": percentile(frames)}


def count_violations(browser: Browser, url: str) -> int:
    """Run axe-core over the empty page, a take, the mixer and the dialogs, at three sizes."""
    found = []
    for width, height in SIZES:
        page = new_page(browser, url, width, height)
        found += violations(page)
        ask(page, PROMPT, "2 bars", takes=2)
        found += violations(page)
        page.locator(".lane .m").first.click()
        page.wait_for_selector('#lanes[aria-busy="false"]')
        page.keyboard.press("h")
        found += violations(page)
        page.get_by_role("button", name="Use it").click()
        found += violations(page)
        page.context.close()
    print("\n".join(found))
    return len(found)


def main() -> None:
    """Measure all, and print the line."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit("the benchmark needs Chromium: install chromium or google-chrome")
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        url = f"http://127.0.0.1:{server.port}"
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--mute-audio"])
        print_hardware()
        print(f"Chromium {browser.version}")
        result: dict[str, float] = {}
        result |= measure_loading(browser, url)
        result["prompt_to_sound_ms"] = measure_answer(browser, url)
        result |= measure_frames(browser, url)
        result["axe_violations"] = count_violations(browser, url)
        result |= measure_library(browser, url, Path(folder) / "data")
        browser.close()
    print_result(result)


if __name__ == "__main__":
    main()
