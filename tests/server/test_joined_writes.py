"""Joined writes: one system call for what a turn of the event loop writes, and nothing is held longer or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest

from tunesmith.server.joined_writes import MOST_HELD_BYTES, JoinedWrites

HEAD, BODY = b"HTTP/1.1 200 OK\r\n\r\n", b"sound"


class RecordedTransport:
    """Notes what is sent; it has not passed a byte of it on."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.is_closed = True

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.sent))

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


@pytest.fixture
def transport() -> RecordedTransport:
    return RecordedTransport()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def writes(transport: RecordedTransport, loop: asyncio.AbstractEventLoop) -> JoinedWrites:
    return JoinedWrites(cast("asyncio.Transport", transport), loop)


def test_head_and_body_are_sent_together_at_the_end_of_the_turn(
    writes: JoinedWrites, transport: RecordedTransport, loop: asyncio.AbstractEventLoop
) -> None:
    for part in (HEAD, BODY, b""):
        writes.write(part)
    assert not transport.sent
    assert writes.get_write_buffer_size() == len(HEAD + BODY)
    loop.run_until_complete(asyncio.sleep(0))
    assert transport.sent == [HEAD + BODY]
    writes.write(BODY)
    loop.run_until_complete(asyncio.sleep(0))
    assert transport.sent == [HEAD + BODY, BODY]
    assert writes.get_write_buffer_size() == len(HEAD + BODY + BODY)


def test_a_flush_sends_at_once_and_nothing_twice(
    writes: JoinedWrites, transport: RecordedTransport, loop: asyncio.AbstractEventLoop
) -> None:
    writes.write(HEAD)
    writes.flush()
    assert transport.sent == [HEAD]
    loop.run_until_complete(asyncio.sleep(0))
    assert transport.sent == [HEAD]


def test_what_is_long_is_not_held_back(writes: JoinedWrites, transport: RecordedTransport) -> None:
    writes.write(HEAD)
    writes.write(bytes(MOST_HELD_BYTES))
    assert transport.sent == [HEAD + bytes(MOST_HELD_BYTES)]


def test_closing_sends_the_rest_first(writes: JoinedWrites, transport: RecordedTransport) -> None:
    writes.write(HEAD)
    writes.close()
    assert (transport.sent, transport.is_closed) == ([HEAD], True)


def test_every_other_method_is_that_of_the_transport(writes: JoinedWrites) -> None:
    assert writes.get_extra_info("peername") == "the peername"
