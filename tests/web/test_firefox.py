"""The studio in Firefox: what is typed is made, plays, is sought and looped to the sample, and is in the library."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from firefox import Firefox, firefox
from started_server import StartedServer, wait_for
from studio_page import PROMPT, SEAM

BEAT_SECONDS = 60 / 84
FOREIGN_IMAGE = "document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/foreign.png' }))"


@pytest.fixture(scope="module")
def tab(server: StartedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox")) as tab:
        tab.open(server.url)
        tab.wait_for("document.querySelector('.dot.ready')")
        yield tab


@pytest.fixture
def page(tab: Firefox) -> Firefox:
    """Give the tab of all tests here, without what an earlier one made it complain of."""
    tab.complaints.clear()
    return tab


def position(page: Firefox) -> float:
    """Return where the playhead is, in seconds."""
    return float(page.evaluate("document.querySelector('#wave').getAttribute('aria-valuenow')"))


def play_label(page: Firefox) -> str:
    """Return what the button of the transport would do."""
    return str(page.evaluate("document.querySelector('#play').getAttribute('aria-label')"))


def until_it_begins_again(page: Firefox) -> list[float]:
    """Return where the playhead was until it went back, and there."""
    heard = [position(page)]

    def has_gone_back() -> bool:
        heard.append(position(page))
        return heard[-1] < heard[-2]

    wait_for(has_gone_back, "the loop to begin again")
    return heard


def make(page: Firefox) -> None:
    """Type what is asked for, and wait until it sounds."""
    page.evaluate("document.querySelector('#count').focus()")
    page.press("1")
    page.evaluate("document.querySelector('#length').select()")
    page.press(*"2 bars")
    page.click("#prompt")
    page.press(*PROMPT)
    page.wait_for("document.querySelector('#chips').innerText.includes('84 bpm')")
    page.press("Enter")
    page.wait_for("document.querySelector('#play').ariaLabel === 'Pause'")


def test_a_prompt_is_made_heard_and_found_again(page: Firefox) -> None:
    make(page)
    wait_for(lambda: position(page) > 0.3, "the playhead to move")
    page.click("#play")
    assert play_label(page) == "Play"

    page.click("#wave")
    assert position(page) == pytest.approx(4 * BEAT_SECONDS, abs=0.1)
    page.press("Home", "ArrowRight", "[", "ArrowRight", "]", " ")
    assert play_label(page) == "Pause"
    heard = until_it_begins_again(page)
    assert BEAT_SECONDS - 0.06 <= min(heard) < max(heard) <= 2 * BEAT_SECONDS + 0.06

    page.click("#star")
    page.wait_for("document.querySelector('#rows [aria-current=true] svg.on')")
    page.click(".lane[data-part=drums] .m")
    page.wait_for("document.querySelector('#hearing').innerText === 'Without drums'")
    page.click(".lane[data-part=drums] .m")

    page.click("#search")
    page.press(*"lofi")
    page.wait_for("document.querySelector('#rows [aria-current=true]')?.innerText.includes('Warm Lofi Hip Hop')")
    page.resize(390, 844)
    page.click("#side-open")
    # Beside the scrollbar, which takes room here, the drawer is as wide as the page and not cut off.
    page.wait_for("document.querySelector('#side').getBoundingClientRect().left === 0")
    page.click("#side-close")

    assert page.complaints == []
    page.evaluate(FOREIGN_IMAGE)
    wait_for(lambda: page.evaluate("true") and "img-src" in "".join(page.complaints), "what the policy refuses")


@pytest.mark.parametrize("region", ["{ start: 0, end: buffer.duration }", "{ start: 0.7001, end: 1.4003 }"])
def test_the_seam_of_the_loop_is_exact_to_the_sample(page: Firefox, region: str) -> None:
    if not page.evaluate("document.querySelector('.take[role=tab]')"):
        make(page)
    seam = page.evaluate(f"({SEAM.replace('REGION', region)})()")
    assert seam["length"] == 252_000
    assert seam["worst"] < 1e-6


def test_a_live_stream_plays_and_ends_with_its_panel(page: Firefox, live_server: StartedServer) -> None:
    page.open(live_server.url)
    page.click("#live-open")
    page.wait_for("document.querySelector('dialog.live .piano')")
    # All that the panel says: on a busy machine "there are gaps" may follow "It plays".
    page.evaluate(
        "window.said = [], new MutationObserver(() => said.push(document.querySelector('.live-status')?.textContent))"
        ".observe(document.querySelector('dialog.live'), {subtree: true, childList: true, characterData: true})"
    )
    page.click("dialog.live button.make")
    page.wait_for("document.querySelector('dialog.live [data-clock]')?.dataset.clock >= '0:01'")
    assert page.evaluate("said.includes('It plays')") is True
    page.evaluate("document.querySelector('.live .check input').click()")
    page.click(".piano button")
    page.wait_for("document.querySelector('.piano button').ariaPressed === 'true'")
    page.press("Escape")
    page.wait_for("!document.querySelector('dialog.live')")
    assert page.complaints == []
