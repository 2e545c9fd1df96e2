"""A real Chromium for the studio's tests; a person without it has them skipped, CI has them fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000
# Without a sandbox, as root in a container; a headless browser has no loudspeaker but plays in real time all the same.
FLAGS = ("--no-sandbox", "--mute-audio")


@contextmanager
def opened() -> Iterator[Browser]:
    """Start the browser and close it in the end."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
