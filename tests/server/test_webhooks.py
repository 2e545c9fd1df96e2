"""Webhooks: what is sent, when, how often, and that its signature holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from receivers import Receiver, Reply, receiver
from replicate.webhook import Webhooks, WebhookSigningSecret, WebhookValidationError

from tunesmith.errors import DatabaseBusy, JobNotFound, ServerStopping, TunesmithError
from tunesmith.jobs.job import new_job_id
from tunesmith.server.ssrf_guard import AddressGuard
from tunesmith.server.webhooks import (
    EVENTS,
    RETRY_SECONDS,
    Event,
    Webhook,
    WebhookClient,
    WebhookOutbox,
    WebhookSender,
    secret_text,
)

KEY = bytes(range(32))
JOB = new_job_id(1_700_000_000)


class Time:
    """A clock that only moves when it is slept on or told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def undelivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WebhookOutbox:
    """Give the notes of what is to be sent, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return WebhookOutbox(Path("webhooks"))


def _send(there: Receiver, time: Time, steps: list[tuple[float, str]], events: tuple[str, ...] = EVENTS) -> list[bytes]:
    async def news() -> AsyncIterator[Event]:
        for number, (pause, kind) in enumerate(steps):
            time.now += pause
            yield Event(kind, f"{kind} {number}".encode())

    async def send() -> None:
        follower = WebhookSender(
            WebhookClient(AddressGuard(allow_private=True), time, time.sleep), WebhookOutbox(Path("webhooks"))
        )
        follower.follow(JOB, Webhook(there.url, KEY, events), news())
        await asyncio.gather(*follower._tasks.values())

    asyncio.run(send())
    return [one.body for one in there.received]


def test_output_and_logs_are_sent_at_most_twice_a_second_and_the_end_always() -> None:
    steps = [(0, "start"), (0, "logs"), (0.2, "logs"), (0.2, "output"), (0.1, "logs"), (0, "completed")]
    with receiver() as there:
        assert _send(there, Time(), steps) == [b"start 0", b"logs 1", b"output 3", b"logs 4", b"completed 5"]


def test_only_the_events_asked_for_are_sent() -> None:
    with receiver() as there:
        assert _send(there, Time(), [(0, "start"), (0, "logs"), (0, "completed")], ("completed",)) == [b"completed 2"]


def test_only_the_last_event_is_retried_with_growing_pauses_under_one_id() -> None:
    time = Time()
    with receiver(lambda _: Reply(500)) as there:
        _send(there, time, [(0, "start"), (0, "completed")])
        last = there.received[1:]
    assert time.pauses == list(RETRY_SECONDS)
    assert len(last) == len(RETRY_SECONDS) + 1
    assert len({one.headers["webhook-id"] for one in last}) == 1
    assert len({one.headers["webhook-timestamp"] for one in last}) == len(last)


def test_an_end_that_nobody_takes_is_logged_without_its_address(caplog: pytest.LogCaptureFixture) -> None:
    with receiver(lambda one: Reply(500 if one.body.startswith(b"completed") else 200)) as there:
        there.url += "?key=secret"
        with caplog.at_level(logging.INFO, "tunesmith"):
            _send(there, Time(), [(0, "start"), (0, "completed")])
    (record,) = caplog.records
    assert vars(record)["host"] == "127.0.0.1"
    assert "secret" not in str(vars(record))


def test_retries_end_when_the_message_is_taken() -> None:
    answers: Iterator[Reply] = iter([Reply(503), Reply(302, headers={"location": "/elsewhere"}), Reply(204)])
    with receiver(lambda _: next(answers)) as there:
        _send(there, Time(), [(0, "completed")])
        assert [one.path for one in there.received] == ["/"] * 3


def test_a_private_address_gets_nothing_and_is_not_tried_again() -> None:
    time = Time()
    with receiver() as there:
        assert not asyncio.run(
            WebhookClient(AddressGuard(), time, time.sleep).send_with_retries(Webhook(there.url, KEY), "id", b"{}")
        )
        assert (there.received, time.pauses) == ([], [])


def test_the_vendors_own_validator_accepts_a_signature_and_only_for_the_body_signed() -> None:
    secret = WebhookSigningSecret(key=secret_text(KEY))
    with receiver() as there:
        assert asyncio.run(
            WebhookClient(AddressGuard(allow_private=True)).send(Webhook(there.url, KEY), "id", '{"a": "é"}'.encode())
        )
        got = there.received[0]
    headers = dict(got.headers)
    Webhooks.validate(headers=headers, body=got.body.decode(), secret=secret, tolerance=60)
    with pytest.raises(WebhookValidationError):
        Webhooks.validate(headers=headers, body=got.body.decode() + " ", secret=secret)


@pytest.mark.parametrize("answer", [Reply(200), Reply(500)])
def test_once_the_end_was_sent_or_given_up_nothing_is_left_to_send(undelivered: WebhookOutbox, answer: Reply) -> None:
    with receiver(lambda _: answer) as there:
        _send(there, Time(), [(0, "start"), (0, "completed")])
    assert undelivered.ids() == []


@pytest.mark.parametrize(("events", "left"), [(EVENTS, [JOB]), (("start", "logs"), [])])
def test_a_sender_that_is_stopped_leaves_a_note_of_the_end_that_it_owes(
    undelivered: WebhookOutbox, events: tuple[str, ...], left: list[str]
) -> None:
    pausing = asyncio.Event()

    async def pause(_: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    async def news() -> AsyncIterator[Event]:
        yield Event("start", b"")
        yield Event("completed", b"{}")
        pausing.set()
        await asyncio.Event().wait()

    async def stop(there: Receiver) -> list[str]:
        follower = WebhookSender(WebhookClient(AddressGuard(allow_private=True), sleep=pause), undelivered)
        follower.follow(JOB, Webhook(there.url, KEY, events), news())
        await asyncio.wait_for(pausing.wait(), 20)
        await follower.close()
        return await follower.left()

    with receiver(lambda _: Reply(503)) as there:
        assert asyncio.run(stop(there)) == left


@pytest.mark.parametrize(("error", "left"), [
    (JobNotFound(JOB), []), (DatabaseBusy("here", "is locked"), [JOB]), (ServerStopping(), [JOB]),
])  # fmt: skip
def test_a_job_that_is_gone_owes_nothing_and_one_that_cannot_be_read_still_does(
    undelivered: WebhookOutbox, error: TunesmithError, left: list[str]
) -> None:
    async def news() -> AsyncIterator[Event]:
        yield Event("start", b"")
        raise error

    async def send(there: Receiver) -> None:
        follower = WebhookSender(WebhookClient(AddressGuard(allow_private=True)), undelivered)
        follower.follow(JOB, Webhook(there.url, KEY), news())
        await asyncio.gather(*follower._tasks.values())

    with receiver() as there:
        asyncio.run(send(there))
    assert undelivered.ids() == left


def test_only_jobs_are_taken_for_notes(undelivered: WebhookOutbox) -> None:
    assert undelivered.ids() == []
    later = new_job_id(1_800_000_000)
    undelivered.add(later)
    undelivered.add(JOB)
    Path("webhooks/.DS_Store").touch()
    assert undelivered.ids() == [JOB, later]
    undelivered.remove(JOB)
    undelivered.remove(JOB)
    assert undelivered.ids() == [later]
