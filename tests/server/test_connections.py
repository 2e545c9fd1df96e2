"""The table of connections, with a clock of its own."""

from __future__ import annotations

import ipaddress

import pytest

from tunesmith.logs import LimitLog
from tunesmith.server.connections import CLOSED_AT_ONCE, ConnectionLimits, ConnectionTable, HttpConnection

LIMITS = ConnectionLimits(header_seconds=20, send_seconds=60, total=4, per_address=2)


class FakeConnection(HttpConnection):
    def __init__(self, host: str = "198.51.100.1", unsent: int = 0) -> None:
        self.host = host
        self.unsent = unsent
        self.ends: list[str] = []

    def unsent_bytes(self) -> int:
        return self.unsent

    def close_late(self) -> None:
        self.ends.append("late")

    def abort(self) -> None:
        self.ends.append("abort")


class Bench:
    """A table whose clock and log a test holds."""

    def __init__(self, limits: ConnectionLimits = LIMITS) -> None:
        self.now = 0.0
        self.reasons: list[str] = []
        self.table = ConnectionTable(limits, LimitLog(self.reasons.append), lambda: self.now)

    def admitted(self, host: str = "127.0.0.1", unsent: int = 0) -> FakeConnection:
        connection = FakeConnection(host, unsent)
        assert self.table.admit(connection) is None
        return connection

    def sweep_at(self, now: float) -> None:
        self.now = now
        self.table.sweep()


def test_an_address_that_holds_its_share_is_refused_until_it_gives_one_up() -> None:
    bench = Bench()
    first, _ = bench.admitted("198.51.100.1"), bench.admitted("198.51.100.1")
    assert bench.table.admit(FakeConnection("198.51.100.1")) == "connections_per_address"
    bench.admitted("198.51.100.2")
    bench.table.remove(first)
    bench.table.remove(first)
    bench.admitted("198.51.100.1")
    assert bench.table.admit(FakeConnection("198.51.100.1")) == "connections_per_address"


@pytest.mark.parametrize(("one", "other", "are_one"), [
    ("2001:db8::1", "2001:db8::ffff:1", True), ("2001:db8::1", "2001:db8:0:1::1", False),
    ("::ffff:198.51.100.1", "198.51.100.1", True), ("fe80::1%eth0", "fe80::2%eth0", True),
])  # fmt: skip
def test_the_addresses_of_a_household_count_together(one: str, other: str, are_one: bool) -> None:
    bench = Bench()
    bench.admitted(one), bench.admitted(one)
    refusal = bench.table.admit(FakeConnection(other))
    assert (refusal == "connections_per_address") == are_one


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3"])
def test_loopback_and_the_trusted_proxies_may_hold_as_many_as_there_are(host: str) -> None:
    bench = Bench(ConnectionLimits(total=4, per_address=1, proxies=(ipaddress.ip_network("10.0.0.0/8"),)))
    for _ in range(4):
        bench.admitted(host)


def test_idle_connections_make_room_first_and_those_at_work_never() -> None:
    bench = Bench()
    working, first, second, idle = (bench.admitted() for _ in range(4))
    bench.table.serve(working)
    bench.table.serve(idle)
    bench.table.rest(idle)
    bench.admitted()
    bench.admitted()
    assert (idle.ends, first.ends, second.ends, working.ends) == (["abort"], ["abort"], [], [])
    assert len(bench.table) == LIMITS.total


def test_a_connection_whose_answer_is_still_being_read_makes_no_room() -> None:
    bench = Bench()
    slow = bench.admitted(unsent=10)
    bench.table.serve(slow)
    bench.table.rest(slow)
    for _ in range(LIMITS.total - 1):
        bench.table.serve(bench.admitted())
    assert bench.table.admit(FakeConnection("127.0.0.1")) == "connections"
    assert slow.ends == []


def test_headers_have_their_time_from_the_first_byte_or_from_the_first_moment() -> None:
    bench = Bench()
    silent, kept = bench.admitted(), bench.admitted()
    bench.table.serve(kept)
    bench.table.rest(kept)
    bench.sweep_at(19)
    assert silent.ends == []
    bench.table.receive(kept)
    bench.table.receive(silent)  # more bytes do not give more time
    bench.sweep_at(20)
    assert (silent.ends, kept.ends) == (["late"], [])
    bench.sweep_at(38)
    assert kept.ends == []
    bench.sweep_at(39)
    assert kept.ends == ["late"]
    assert bench.reasons == ["headers", "headers"]


def test_an_answer_that_is_read_however_slowly_is_sent_to_its_end() -> None:
    bench = Bench()
    slow = bench.admitted(unsent=1000)
    bench.table.serve(slow)
    for minute in range(10):
        slow.unsent -= 1
        bench.sweep_at(59.0 * minute)
    assert slow.ends == []


def test_an_answer_that_is_not_read_is_given_up_also_where_more_is_added_to_it() -> None:
    bench = Bench()
    deaf = bench.admitted(unsent=1000)
    bench.table.serve(deaf)
    bench.sweep_at(1)
    for second in range(2, 61):
        deaf.unsent += 14  # a stream that says that it is still there
        bench.sweep_at(second)
    assert deaf.ends == []
    bench.sweep_at(61)
    assert (deaf.ends, bench.reasons, len(bench.table)) == (["abort"], ["sending"], 0)


def test_a_stream_that_is_read_between_two_looks_goes_on() -> None:
    bench = Bench()
    player = bench.admitted(unsent=70_000)
    bench.table.serve(player)
    for second in range(300):
        bench.table.progress(player)
        bench.sweep_at(second)
    assert player.ends == []


def test_where_descriptors_run_out_the_waiting_are_closed_once_a_second_and_the_log_gets_a_line() -> None:
    bench = Bench(ConnectionLimits(total=1000))
    waiting = [bench.admitted() for _ in range(3 * CLOSED_AT_ONCE)]
    for _ in range(2000):
        bench.table.run_out("descriptors", "none left")
    assert sum(bool(one.ends) for one in waiting) == CLOSED_AT_ONCE
    bench.now = 1.0
    bench.table.run_out("descriptors", "none left")
    assert sum(bool(one.ends) for one in waiting) == 2 * CLOSED_AT_ONCE
    assert waiting[0].ends
    assert not waiting[-1].ends
