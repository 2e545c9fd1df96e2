"""Every request has an id, a line and a place in the counts, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.server.middleware.stack import RequestLogMiddleware, RequestSummary, choose_request_id


async def nothing() -> Message:
    return {"type": "http.request"}


class Call:
    """One request through the middleware: what was sent, counted and logged."""

    def __init__(self, app: ASGIApp, path: str = "/api/jobs", headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.sent: list[Message] = []
        self.counted: list[RequestSummary] = []
        self.error: BaseException | None = None
        scope: dict[str, Any] = {
            "type": "http", "method": "GET", "path": path, "headers": list(headers), "client": ("10.0.0.9", 1),
            "query_string": b"key=secret", "state": {},
        }  # fmt: skip

        async def send(message: Message) -> None:
            self.sent.append(message)

        try:
            asyncio.run(self._call(RequestLogMiddleware(app, self.counted.append), scope, send))
        except (ValueError, asyncio.CancelledError) as error:
            self.error = error

    async def _call(self, app: ASGIApp, scope: Scope, send: Send) -> None:
        await app(scope, nothing, send)

    @property
    def request_id(self) -> str:
        (value,) = (value for name, value in self.sent[0]["headers"] if name == b"x-request-id")
        return str(value.decode())


def answering(status: int, *pieces: bytes) -> ASGIApp:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"x-request-id", b"the app's")]})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


@pytest.mark.parametrize("given", ["7f3a", "a.b:c/d+e=f@g-h_i", "A" * 128])
def test_a_sane_id_is_taken_over(given: str) -> None:
    assert choose_request_id(given) == given
    assert Call(answering(200), headers=[(b"x-request-id", given.encode())]).request_id == given


@pytest.mark.parametrize("given", [None, "", "a b", "a\nb", "é", "A" * 129, '"}', "<script>"])
def test_any_other_is_replaced_by_one_of_our_own(given: str | None) -> None:
    assert choose_request_id(given) != given
    assert choose_request_id(given) != choose_request_id(given)
    assert len(choose_request_id(given)) == 32


def test_pieces_pass_as_they_come() -> None:
    call = Call(answering(200, b"one", b"two", b"three"))
    assert [message.get("body") for message in call.sent] == [None, b"one", b"two", b"three", b""]


@pytest.mark.parametrize(("status", "level"), [(200, "INFO"), (404, "INFO"), (500, "WARNING"), (503, "WARNING")])
def test_a_request_is_one_line_without_its_query(caplog: pytest.LogCaptureFixture, status: int, level: str) -> None:
    with caplog.at_level(logging.INFO, "tunesmith"):
        call = Call(answering(status))
    (record,) = caplog.records
    about = vars(record)
    assert (record.message, record.levelname) == ("request", level)
    assert (about["method"], about["path"], about["status"]) == ("GET", "/api/jobs", status)
    assert (about["dialect"], about["client"]) == ("api", "10.0.0.9")
    assert about["seconds"] >= 0
    assert "secret" not in str(about)
    assert [(one.dialect, one.status) for one in call.counted] == [("api", status)]


@pytest.mark.parametrize("path", ["/health/live", "/metrics"])
def test_probes_are_told_of_only_where_they_fail_or_all_is_told(caplog: pytest.LogCaptureFixture, path: str) -> None:
    with caplog.at_level(logging.DEBUG, "tunesmith"):
        Call(answering(200), path)
        Call(answering(503), path)
    assert [record.levelname for record in caplog.records] == ["DEBUG", "WARNING"]


def test_a_request_that_breaks_is_counted_as_500_and_one_that_is_left_as_499() -> None:
    async def broken(_: Scope, __: Receive, ___: Send) -> None:
        raise ValueError

    async def left(_: Scope, __: Receive, ___: Send) -> None:
        raise asyncio.CancelledError

    calls = [Call(broken), Call(left)]
    assert [type(call.error) for call in calls] == [ValueError, asyncio.CancelledError]
    assert [call.counted[0].status for call in calls] == [500, 499]


def test_what_is_no_request_passes_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["type"])

    async def send(_: Message) -> None:
        raise AssertionError

    asyncio.run(RequestLogMiddleware(app, lambda _: seen.append("counted"))({"type": "lifespan"}, nothing, send))
    assert seen == ["lifespan"]
