"""A real Firefox for the studio's tests, over WebDriver BiDi (W3C); without it they are skipped, and fail in CI."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from started_server import PATIENCE_SECONDS, wait_for
from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("firefox-esr", "firefox")
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# Without a sound device, as in a container, Firefox's clock of the sound stands still: this one runs, and is silent.
# Whether a page may begin to sound is left as people have it.
PREFERENCES = 'user_pref("media.cubeb.force_mock_context", true);\n'
# The middle of an element, where nothing lies over it.
PLACE = """((element) => {
  const box = element.getBoundingClientRect();
  const place = [box.x + box.width / 2, box.y + box.height / 2].map(Math.round);
  return element.contains(document.elementFromPoint(...place)) ? place : null;
})(document.querySelector(SELECTOR))"""
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Home": "\ue011", "ArrowRight": "\ue014"}


class Firefox:
    """One tab; ``complaints`` are the errors and warnings of its console, with what a page's policy refused."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self.complaints: list[str] = []
        self._command("session.new", capabilities={})
        self._command("session.subscribe", events=["log.entryAdded"])
        self._tab: str = self._command("browsingContext.getTree")["contexts"][0]["context"]
        self.resize(1440, 900)

    def resize(self, width: int, height: int) -> None:
        """Give the page another size, in CSS pixels; its scrollbar is within."""
        self._command("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height})

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        self._command("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, whose promise is awaited."""
        expression = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        answer = self._command(
            "script.evaluate", expression=expression, target={"context": self._tab}, awaitPromise=True
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    def wait_for(self, expression: str) -> None:
        """Wait until an expression of JavaScript is true."""
        wait_for(lambda: self.evaluate(f"Boolean({expression})"), expression)

    def press(self, *keys: str) -> None:
        """Press and release one key after another: characters, or names of KEYS."""
        strokes = [{"type": way, "value": KEYS.get(key, key)} for key in keys for way in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": strokes})

    def click(self, selector: str) -> None:
        """Click an element in its middle, as soon as it is there."""
        place = PLACE.replace("SELECTOR", json.dumps(selector))
        self.wait_for(place)
        x, y = self.evaluate(place)
        actions = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def _act(self, source: dict[str, Any]) -> None:
        self._command("input.performActions", context=self._tab, actions=[source])

    def _command(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(PATIENCE_SECONDS))
            if message["type"] == "event":
                self._note(message["params"])
            elif message["id"] == number:
                assert message["type"] == "success", message
                return message["result"]

    def _note(self, entry: dict[str, Any]) -> None:
        if entry["level"] in ("error", "warn"):
            self.complaints.append(entry["text"])


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """Start Firefox over an empty profile folder, and stop it in the end."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("firefox is not installed")
        pytest.skip("firefox is not installed")
    (profile / "user.js").write_text(PREFERENCES, encoding="utf-8")
    command = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    log = profile / "log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            wait_for(lambda: LISTENING.search(log.read_text(encoding="utf-8")), "Firefox to listen")
            address = LISTENING.findall(log.read_text(encoding="utf-8"))[0]
            with connect(f"{address}/session", max_size=None, compression=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
