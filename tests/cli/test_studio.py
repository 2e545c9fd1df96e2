"""``tunesmith studio``: the page is opened, by the server that runs or by one that it starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from live_server import served
from started_server import started, wait_for

from tunesmith.cli import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for a browser is a Unix script")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the stand-in for a browser writes the address that it was given."""
    file, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\nprintf '%s' \"$1\" > {file}\n")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    return file


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def test_the_page_of_a_running_server_is_opened(
    opened: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(tmp_path / "data") as server:
        assert run(["studio", "--port", server.url.rpartition(":")[2]]) == 0
    assert opened.read_text() == f"{server.url}/"
    assert f"the studio is open at {server.url}/" in capsys.readouterr().err


def test_a_server_is_started_where_none_runs(opened: Path, tmp_path: Path, free_port: int) -> None:
    environment = {**os.environ, "TUNESMITH_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "tunesmith", "studio", "--port", str(free_port)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(opened.exists, "the page to be opened")
        assert httpx.get(opened.read_text(), headers={"accept": "text/html"}).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_another_program_at_the_port_is_named(opened: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(FastAPI()) as url:
        port = url.rpartition(":")[2]
        assert run(["studio", "--port", port]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"tunesmith: error: port: another program listens on it; choose another one, got {port}")
    assert not opened.exists()
