"""The server that settings make: its limits, and what it does when the system gives no descriptor."""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
from ipaddress import ip_network
from pathlib import Path

import pytest

from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.server import uvicorn_server as serving
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.uvicorn_server import create_server, limits_of


def test_the_settings_are_the_limits() -> None:
    settings = Settings(
        header_timeout_seconds=1, idle_timeout_seconds=2, send_timeout_seconds=3, max_connections=4,
        max_connections_per_address=5, trusted_proxies=("10.0.0.0/8",),
    )  # fmt: skip
    limits = limits_of(settings)
    assert (limits.header_seconds, limits.idle_seconds, limits.send_seconds) == (1, 2, 3)
    assert (limits.total, limits.per_address, limits.proxies) == (4, 5, (ip_network("10.0.0.0/8"),))


def test_more_connections_than_the_open_files_allow_are_named_in_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serving, "connection_limit", lambda wanted: min(wanted, 384))
    assert limits_of(Settings()).total == 384
    assert not caplog.records
    assert limits_of(Settings(max_connections=5000)).total == 384
    assert caplog.messages == ["max_connections: open files allow 384, not 5000"]


def test_a_call_in_a_thread_does_not_wait_for_a_thread_to_start() -> None:
    async def names() -> tuple[set[str], set[str]]:
        serving.start_threads(asyncio.get_running_loop())
        running = {thread.name for thread in threading.enumerate()}
        number = sum(name.startswith("asyncio_") for name in running)
        together = threading.Barrier(number)

        def name() -> str:
            together.wait(10)
            return threading.current_thread().name

        return running, set(await asyncio.gather(*(asyncio.to_thread(name) for _ in range(number))))

    running, used = asyncio.run(names())
    assert len(used) > 4
    assert used <= running


def test_a_proxy_that_is_no_address_is_refused(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path), ServerOptions(host="127.0.0.1"))
    with pytest.raises(InvalidRequest, match="setting trusted_proxies"):
        create_server(app, Settings(trusted_proxies=("nginx",)), "127.0.0.1", 0)


def test_an_accept_that_fails_thousands_of_times_is_one_line_and_other_faults_are_asyncio_s(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data_dir=tmp_path)
    app = create_app(settings, ServerOptions(host="127.0.0.1"))
    server = create_server(app, settings, "127.0.0.1", 0)

    async def fail() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(server._handle_loop_error)
        full = OSError(errno.EMFILE, "Too many open files")
        for _ in range(2000):
            loop.call_exception_handler({"message": "socket.accept() out of system resource", "exception": full})
        loop.call_exception_handler({"message": "another", "exception": ValueError("another")})

    with caplog.at_level(logging.INFO):
        asyncio.run(fail())
    lines = [(record.name, vars(record).get("problem", record.getMessage())) for record in caplog.records]
    limit = ("tunesmith.limits", "a connection cannot be accepted: Too many open files")
    assert [line for line in lines if line[0] in ("tunesmith.limits", "asyncio")] == [limit, ("asyncio", "another")]
