"""What an installed model makes of a take: more of it, a stretch made anew, the same in another sound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from serving import pull_stable_audio
from started_server import started
from studio_page import make, opened_page, silent


@pytest.fixture(scope="module")
def remade(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page with a take of the composer, of a server that has Stable Audio."""
    folder = tmp_path_factory.mktemp("remaking")
    pull_stable_audio(folder)
    with started(folder / "data", composer_processes="1") as server, opened_page(browser, server.url) as page:
        make(page, prompt="calm piano, 90 bpm", length="1 bars")
        silent(page)
        yield page


@pytest.mark.parametrize(("name", "number"), [
    ("Go on from here…", "1"), ("Make a stretch anew…", None), ("In another sound…", "0.5"),
])  # fmt: skip
def test_an_installed_model_makes_a_take_of_a_take(remade: Page, name: str, number: str | None) -> None:
    takes = remade.locator(".take[role=tab]")
    takes.first.click()
    before = takes.count()
    remade.click("#dots")
    remade.locator("#pop").get_by_role("button", name=name).click()
    remade.fill("#remake", "a guitar solo")
    if number:
        remade.fill("#remake-number", number)
    remade.locator("#pop").get_by_role("button", name="Make it").click()
    expect(takes).to_have_count(before + 1)
    remade.wait_for_selector(f".take:nth-child({before + 1}) canvas")
    remade.wait_for_selector("#download:enabled")
    expect(remade.locator("#licence")).to_contain_text("Stability AI")
    silent(remade)
