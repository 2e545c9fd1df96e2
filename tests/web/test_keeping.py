"""What survives: a reload while music is being made, a restart of the server, being offline; and who may come in."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import strange_generators
from browser import PATIENCE_MS
from playwright.sync_api import Browser, Page, Route, expect
from started_server import StartedServer, started, wait_for
from studio_page import PROMPT, ask, make

from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import RateLimit, TokenRequest, Tokens

IS_DRAWN = """() => {
  const canvas = document.querySelector("#rows canvas"), pen = canvas?.getContext("2d");
  return Boolean(pen && canvas.width && pen.getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean));
}"""


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Page]:
    """A page that has not been anywhere."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        yield page


def test_a_reload_finds_what_is_being_made(fresh: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    done, gate = tmp_path / "done", tmp_path / "gate"
    monkeypatch.setenv(strange_generators.GATE, str(gate))
    with started(tmp_path / "data") as server:
        _ask_strange(fresh, server, "slow", "x")
        fresh.click("#make")
        expect(fresh.locator("#meta")).to_contain_text("Loading the model")
        gate.touch()
        fresh.wait_for_selector("#download:enabled")
        _ask_strange(fresh, server, "patient", str(done))
        fresh.click("#make")
        expect(fresh.locator("#status")).to_have_text("Making 1 take")
        expect(fresh.locator("#meta")).not_to_contain_text("Sending")
        fresh.reload()
        expect(fresh.locator("#status")).to_have_text("Making 1 take")
        assert fresh.input_value("#prompt") == str(done)
        done.touch()
        fresh.wait_for_selector("#download:enabled")
        expect(fresh.locator("#status")).to_contain_text("Ready")
        # Music without notes wears its outline in the library, which the server has measured.
        wait_for(lambda: fresh.evaluate(IS_DRAWN), "the outline of the piece")


def test_a_take_survives_the_death_of_the_server(fresh: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    done = tmp_path / "done"
    with started(tmp_path / "data") as server:
        port = server.url.rpartition(":")[2]
        _ask_strange(fresh, server, "patient", str(done))
        fresh.click("#make")
        expect(fresh.locator("#meta")).to_contain_text("%")
        server.signal(signal.SIGKILL)
        server.gone()
        expect(fresh.locator("#banner")).to_contain_text("The server does not answer.")
        expect(fresh.locator("#status")).to_have_text("No server")
    done.touch()
    with started(tmp_path / "data", "--port", port):
        fresh.wait_for_selector("#download:enabled")
        expect(fresh.locator("#banner")).to_be_hidden()


def _ask_strange(page: Page, server: StartedServer, model: str, prompt: str) -> None:
    """Ask for music of one of the strange generators, as if it had been chosen before."""
    draft = {"draft": {"prompt": prompt, "model": model, "length": "1 s", "takes": 1}}
    _open_with(page, server, "localStorage", {"tunesmith.studio": json.dumps(draft)})


def _open_with(page: Page, server: StartedServer, storage: str, kept: dict[str, str]) -> None:
    """Open the studio as if it had kept something in a storage of the browser."""
    # Any document of its address will do for that, and this one loads nothing.
    page.goto(f"{server.url}/health/live")
    page.evaluate("([storage, kept]) => { Object.assign(window[storage], kept); }", [storage, kept])
    page.goto(server.url)
    page.wait_for_selector(".dot.ready")


def test_a_restart_of_the_server_loses_nothing(fresh: Page, tmp_path: Path) -> None:
    with started(tmp_path / "data") as server:
        port = server.url.rpartition(":")[2]
        fresh.goto(server.url)
        fresh.wait_for_selector(".dot.ready")
        make(fresh)
        server.signal(signal.SIGTERM)
        server.gone()
        fresh.fill("#prompt", "bossa nova with a nylon guitar")
        expect(fresh.locator("#banner")).to_contain_text("The server does not answer.")
        fresh.press("#prompt", "Enter")
        expect(fresh.locator("#meta")).to_have_text("Waiting for the server")
        expect(fresh.locator("#chips")).not_to_contain_text("Lofi")
    with started(tmp_path / "data", "--port", port):
        fresh.goto(server.url)
        fresh.wait_for_selector("#download:enabled")
        assert fresh.input_value("#prompt") == "bossa nova with a nylon guitar"
        assert fresh.inner_text("#title").startswith("Bossa Nova")
        expect(fresh.locator(".row-item")).to_have_count(2)


def test_a_reload_while_a_take_is_being_sent_makes_it_once(fresh: Page, tmp_path: Path) -> None:
    with started(tmp_path / "data") as server:
        fresh.goto(server.url)
        fresh.wait_for_selector(".dot.ready")
        received: list[int] = []

        def leave_the_first_unanswered(route: Route) -> None:
            if received:
                route.continue_()
            else:
                received.append(route.fetch().status)

        fresh.route(re.compile(r"/api/jobs(\?.*)?$"), leave_the_first_unanswered)
        ask(fresh)
        fresh.press("#prompt", "Enter")
        wait_for(lambda: fresh.evaluate("1") and received, "the request at the server")
        fresh.reload()
        fresh.wait_for_selector("#download:enabled")
        assert len(httpx.get(f"{server.url}/api/jobs").json()["jobs"]) == 1


def test_what_could_not_be_sent_is_sent_when_the_server_is_back(fresh: Page, tmp_path: Path) -> None:
    with started(tmp_path / "data") as server:
        port = server.url.rpartition(":")[2]
        fresh.goto(server.url)
        fresh.wait_for_selector(".dot.ready")
        ask(fresh)
        server.signal(signal.SIGTERM)
        server.gone()
        fresh.press("#prompt", "Enter")
        expect(fresh.locator("#banner")).to_contain_text("The server does not answer.")
    with started(tmp_path / "data", "--port", port):
        # Dispatched, because a click waits until the button stands still, and the page may have tried by then.
        fresh.get_by_role("button", name="Try now").dispatch_event("click")
        expect(fresh.locator("#banner")).to_be_hidden()
        fresh.wait_for_selector("#download:enabled")


def test_being_offline_keeps_the_words(page: Page, server: StartedServer) -> None:
    page.context.set_offline(True)
    page.fill("#prompt", PROMPT)
    expect(page.locator("#banner")).to_contain_text("What you typed and made is safe here")
    page.context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator(".chip").first).to_be_visible()
    page.reload()
    assert page.input_value("#prompt") == PROMPT
    assert page.url.startswith(server.url)


def test_a_server_with_tokens_asks_for_one(fresh: Page, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    database = open_database(settings)
    secret = Tokens(database).create(TokenRequest("studio")).secret
    database.close()
    with started(tmp_path / "data") as server:
        fresh.goto(server.url)
        expect(fresh.locator("#banner")).to_contain_text("The server wants a token.")
        fresh.fill("#token", "wrong")
        fresh.keyboard.press("Enter")
        expect(fresh.locator("#status")).to_have_text("Token needed")
        fresh.fill("#token", secret)
        fresh.keyboard.press("Enter")
        fresh.wait_for_selector(".dot.ready")
        expect(fresh.locator("#banner")).to_be_hidden()
        ask(fresh)
        fresh.press("#prompt", "Enter")
        fresh.wait_for_selector("#download:enabled")


def test_a_limit_is_said_in_words_and_the_take_is_sent_when_it_is_over(fresh: Page, tmp_path: Path) -> None:
    database = open_database(Settings(data_dir=tmp_path / "data"))
    secret = Tokens(database).create(TokenRequest("studio", quota=RateLimit.parse("quota", "1/second"))).secret
    slow = Tokens(database).create(TokenRequest("slow", quota=RateLimit.parse("quota", "1/day"))).secret
    database.close()
    with started(tmp_path / "data") as server:
        for token in (secret, slow):
            _open_with(fresh, server, "sessionStorage", {"tunesmith.studio.token": json.dumps({"token": token})})
            ask(fresh, takes=2)
            fresh.press("#prompt", "Enter")
            if token == secret:
                # The second take waits for its second, and is made without a press.
                fresh.wait_for_selector(".take:nth-child(2) canvas")
                expect(fresh.locator("#rows .row-item")).to_have_count(2)
        fresh.wait_for_selector(".take:nth-child(1) canvas")
        fresh.locator(".take").nth(1).click()
        expect(fresh.locator("#meta")).to_contain_text(
            re.compile(r"Limit of 1 piece a day reached.*sent again in \d+ s")
        )
        expect(fresh.locator(".take").nth(1)).to_contain_text("Waiting")
        fresh.locator("#acts").get_by_role("button", name="Cancel").click()
        expect(fresh.locator(".take[role=tab]")).to_have_count(1)


def test_two_tabs_have_takes_of_their_own(page: Page, server: StartedServer) -> None:
    make(page)
    other = page.context.new_page()
    other.goto(server.url)
    other.wait_for_selector(".dot.ready")
    assert other.locator(".take[role=tab]").count() == 0
    assert other.input_value("#prompt") == PROMPT
    expect(other.locator(".row-item").first).to_be_visible()
