"""A library of ten thousand tracks: any place of it at once, in bounded memory, searched by the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from started_server import started
from studio_page import opened_page

from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tracks import NewTrack, Tracks

COUNT = 10_000
MAX_HEAP_BYTES = 80_000_000
FIGURE = [[step * 4, 3, 60 + step % 12] for step in range(48)]


def track(number: int) -> NewTrack:
    """Return a track such as the composer's, told apart by its number."""
    request = {"prompt": f"piece {number} for a long evening", "seed": number, "loop": number % 100 == 0, "bars": 8}
    metadata = {"title": f"Piece {number}", "figure": FIGURE, "settings": {"genre": "lofi", "key": "F minor"}}
    return NewTrack(request, "composer", "composer", "api", 20.0, metadata=metadata)


@pytest.fixture(scope="module")
def long(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of a server with ten thousand tracks in its log."""
    data: Path = tmp_path_factory.mktemp("long")
    database = open_database(Settings(data_dir=data))
    Tracks(database).add(*map(track, range(COUNT)))
    database.close()
    with started(data) as server, opened_page(browser, server.url) as page:
        expect(page.locator("#count-note")).to_have_text(f"{COUNT} pieces")
        yield page


def scrolled(page: Page, share: float) -> None:
    """Scroll to a place of the list."""
    page.evaluate("share => { const side = document.querySelector('#side');"
                  " side.scrollTop = share * (side.scrollHeight - side.clientHeight); }", share)  # fmt: skip


def heap_bytes(page: Page) -> float:
    """Return the memory that the page's objects take, garbage excluded."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return float(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize"))


def test_any_place_is_reached_with_few_rows_and_little_memory(long: Page) -> None:
    rows = long.locator("#rows .row-item:not(.coming)")
    expect(rows.first).to_contain_text(f"Piece {COUNT - 1}")
    for share, shown in ((1.0, "Piece 0"), (0.5, f"Piece {COUNT // 2}"), (0.0, f"Piece {COUNT - 1}")):
        scrolled(long, share)
        expect(long.get_by_role("button", name=f"{shown} 0:20").first).to_be_visible()
        assert long.locator("#rows li").count() < 50
    # All the way, a screen at a time.
    steps = 40
    for step in range(steps + 1):
        scrolled(long, step / steps)
        long.wait_for_timeout(20)
    expect(long.get_by_role("button", name="Piece 0 0:20")).to_be_visible()
    assert long.locator("#rows li").count() < 50
    assert long.locator("#rows li").last.get_attribute("aria-posinset") == str(COUNT)
    assert heap_bytes(long) < MAX_HEAP_BYTES


def test_it_is_searched_and_filtered_on_the_server(long: Page) -> None:
    scrolled(long, 0.7)
    long.fill("#search", "piece 4321")
    expect(long.locator("#count-note")).to_have_text("1 piece")
    expect(long.locator("#rows .row-item")).to_contain_text(["Piece 4321"])
    long.fill("#search", "")
    long.click("#filter-loops")
    expect(long.locator("#count-note")).to_have_text("100 pieces")
    expect(long.locator("#rows .row-item").first).to_contain_text("Piece 9900")
    long.click("#filter-all")
    expect(long.locator("#count-note")).to_have_text(f"{COUNT} pieces")


def test_the_arrow_keys_go_from_row_to_row(long: Page) -> None:
    scrolled(long, 0)
    long.get_by_role("button", name=f"Piece {COUNT - 1} 0:20").focus()
    for _ in range(30):
        long.keyboard.press("ArrowDown")
    expect(long.get_by_role("button", name=f"Piece {COUNT - 31} 0:20")).to_be_focused()
    long.keyboard.press("ArrowUp")
    expect(long.get_by_role("button", name=f"Piece {COUNT - 30} 0:20")).to_be_focused()
