"""What people do on the studio's page, for its tests."""

from __future__ import annotations

from playwright.sync_api import Page

PROMPT = "warm lofi hip hop with a Rhodes and rain, 84 bpm"


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
