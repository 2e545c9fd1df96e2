"""The address to serve on: taken at once, or refused in one line."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import ExitStack

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.server import startup as module
from tunesmith.server.startup import bind_sockets, urls_of


def reached(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=60):
        return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_free_port_is_taken_and_told(host: str) -> None:
    with ExitStack() as closing:
        taken = [closing.enter_context(one) for one in bind_sockets(host, 0)]
        urls = urls_of(taken)
        assert urls[0].startswith("http://127.0.0.1:")
        assert len({url.rpartition(":")[2] for url in urls}) == 1
        assert all(reached(url) for url in urls)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_on_an_accepted_connection_is_sent_at_once(host: str) -> None:
    if ":" in host and not module._speaks_ipv6():
        pytest.skip("this machine does not speak IPv6")

    async def no_delay() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        (listening,) = bind_sockets(host, 0)
        async with await asyncio.start_server(look, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname()[:2])
            try:
                return await asyncio.wait_for(accepted, 5)
            finally:
                writer.close()

    assert asyncio.run(no_delay()) == 1


def test_a_port_in_use_is_refused_by_its_number_and_place() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InvalidRequest, match=f"{port} at 127.0.0.1 is in use by another program") as caught:
            bind_sockets("127.0.0.1", port)
    assert caught.value.field == "port"


def test_a_port_just_given_up_can_be_had_again() -> None:
    (first,) = bind_sockets("127.0.0.1", 0)
    port = first.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        first.accept()[0].close()
    first.close()
    (again,) = bind_sockets("127.0.0.1", port)
    again.close()


@pytest.mark.parametrize(("host", "problem"), [
    ("192.0.2.1", "192.0.2.1 is not an address of this machine"),
    ("nowhere.invalid", "neither an address nor a host name"),
    ("a" * 300, "neither an address nor a host name"), ("999.1.1.1", "neither an address nor a host name"),
])  # fmt: skip
def test_an_address_that_is_not_ours_is_refused_by_name(host: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem) as caught:
        bind_sockets(host, 0)
    assert caught.value.field == "host"


def test_a_port_that_needs_rights_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(module, "_bound", refuse)
    with pytest.raises(InvalidRequest, match="port: 80 is not permitted for this user"):
        bind_sockets("127.0.0.1", 80)


def test_nothing_stays_open_where_a_part_of_a_name_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []
    bind = module._bound

    def second_fails(family: int, address: tuple[str, int]) -> socket.socket:
        if opened:
            raise OSError(errno.EADDRINUSE, "in use")
        opened.append(bind(family, address))
        return opened[-1]

    monkeypatch.setattr(module, "_addresses", lambda *_: [(socket.AF_INET, "127.0.0.1")] * 2)
    monkeypatch.setattr(module, "_bound", second_fails)
    with pytest.raises(InvalidRequest):
        bind_sockets("localhost", 0)
    assert opened[0].fileno() == -1


def test_an_address_of_ipv6_is_told_in_brackets() -> None:
    if not module._speaks_ipv6():
        pytest.skip("this machine does not speak IPv6")
    (one,) = bind_sockets("::1", 0)
    with one:
        assert urls_of([one])[0].startswith("http://[::1]:")
        assert reached(urls_of([one])[0])
