"""The Model Context Protocol over streamable HTTP at ``/mcp``.

Requests are stateless, so that any of several servers can handle them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from tunesmith.errors import TunesmithError
from tunesmith.jobs.service import MusicService
from tunesmith.server.apis.errors import error_response, message_of, status_of
from tunesmith.server.apis.request_body import in_thread_if_large, parse_json
from tunesmith.server.context import ApiContext

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

CODES: Mapping[int, int] = {
    400: -32_700, 422: -32_602, 401: -32_001, 403: -32_003, 404: -32_004, 408: -32_008, 429: -32_029,
}  # fmt: skip
# JSON-RPC 2.0, internal error.
INTERNAL_PROBLEM = -32_603


def router(context: ApiContext) -> APIRouter:
    """Return the route; its lifespan runs the session manager."""
    sessions = _Sessions(context.service)
    routes = APIRouter(tags=["MCP"], lifespan=sessions.lifespan)

    @routes.api_route(
        "/mcp", methods=["GET", "POST", "DELETE"], include_in_schema=False, dependencies=[Depends(context.authenticate)]
    )
    async def mcp(request: Request) -> Response:
        raw = await request.body()
        if raw:
            # Validated by our own parser first: its limits on JSON hold for this route as well.
            await in_thread_if_large(parse_json, raw)
        # The body is read already, so it is replayed to the library.
        return _AsgiResponse(await sessions.running(), raw)

    return routes


class _Sessions:
    """The session manager of the MCP library, started by the first request.

    One task starts and ends it, because the library requires that of its task group.
    """

    def __init__(self, service: MusicService) -> None:
        self._service = service

    @asynccontextmanager
    async def lifespan(self, _: Any) -> AsyncIterator[None]:
        """Stop the session manager when the server shuts down."""
        self._start_requested, self._over = asyncio.Event(), asyncio.Event()
        self._running: asyncio.Future[StreamableHTTPSessionManager] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._over.set()
            # Also wakes a task that no request ever woke.
            self._start_requested.set()
            await running

    async def running(self) -> StreamableHTTPSessionManager:
        """Return the session manager; the first call waits until the library is loaded."""
        self._start_requested.set()
        # A cancelled request must not cancel the future that all requests share.
        return await asyncio.shield(self._running)

    async def _run(self) -> None:
        await self._start_requested.wait()
        if self._over.is_set():
            return
        try:
            sessions = await asyncio.to_thread(_sessions_of, self._service)
        except Exception as error:
            # Every request gets the error, like any other fault.
            self._running.set_exception(error)
            return
        async with sessions.run():
            self._running.set_result(sessions)
            await self._over.wait()


def _sessions_of(service: MusicService) -> StreamableHTTPSessionManager:
    from tunesmith.server.apis.mcp.server import sessions_of

    return sessions_of(service)


class _AsgiResponse(Response):
    """A response that the MCP library writes itself."""

    def __init__(self, sessions: StreamableHTTPSessionManager, body: bytes) -> None:
        super().__init__()
        self._sessions = sessions
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        unread: list[Message] = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive_again() -> Message:
            # After the body, only the disconnect is left to receive.
            return unread.pop() if unread else await receive()

        await self._sessions.handle_request(scope, receive_again, send)


def errors(error: TunesmithError) -> JSONResponse:
    """Return a JSON-RPC error, for requests that do not reach the MCP library."""
    code = CODES.get(status_of(error), INTERNAL_PROBLEM)
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message_of(error)}}
    return error_response(error, body)
