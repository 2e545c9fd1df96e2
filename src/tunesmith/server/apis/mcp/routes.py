"""The Model ApiContext Protocol over streamable HTTP at ``/mcp``.

Every request stands alone (stateless), so that any of several servers can answer it.
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
from tunesmith.server.apis.request_body import in_thread_if_large
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.json_text import parse_json

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

CODES: Mapping[int, int] = {
    400: -32_700, 422: -32_602, 401: -32_001, 403: -32_003, 404: -32_004, 408: -32_008, 429: -32_029,
}  # fmt: skip
INTERNAL_PROBLEM = -32_603


def router(context: ApiContext) -> APIRouter:
    """Return the route; its lifespan is that of the protocol's own tasks."""
    sessions = _Sessions(context.service)
    routes = APIRouter(tags=["MCP"], lifespan=sessions.lifespan)

    @routes.api_route("/mcp", methods=["GET", "POST", "DELETE"], include_in_schema=False)
    async def mcp(request: Request, caller: Caller = Depends(context.authenticate)) -> Response:  # noqa: B008
        request.state.caller = caller
        raw = await request.body()
        if raw:
            await in_thread_if_large(parse_json, raw)
        return _AsgiResponse(await sessions.running(), raw)

    return routes


class _Sessions:
    """The protocol's sessions, begun by the first request; one task begins and ends them, as their library demands."""

    def __init__(self, service: MusicService) -> None:
        self._service = service

    @asynccontextmanager
    async def lifespan(self, _: Any) -> AsyncIterator[None]:
        """End what a request has begun when the server ends."""
        self._wanted, self._over = asyncio.Event(), asyncio.Event()
        self._running: asyncio.Future[StreamableHTTPSessionManager] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._over.set()
            self._wanted.set()
            await running

    async def running(self) -> StreamableHTTPSessionManager:
        """Return the sessions; the first to ask waits until their library is loaded."""
        self._wanted.set()
        return await asyncio.shield(self._running)

    async def _run(self) -> None:
        await self._wanted.wait()
        if self._over.is_set():
            return
        try:
            sessions = await asyncio.to_thread(_sessions_of, self._service)
        except Exception as error:  # told to whoever asks, as any other fault of a request
            self._running.set_exception(error)
            return
        async with sessions.run():
            self._running.set_result(sessions)
            await self._over.wait()


def _sessions_of(service: MusicService) -> StreamableHTTPSessionManager:
    from tunesmith.server.apis.mcp.sessions import sessions_of

    return sessions_of(service)


class _AsgiResponse(Response):
    """An answer that the protocol's library writes itself."""

    def __init__(self, sessions: StreamableHTTPSessionManager, body: bytes) -> None:
        super().__init__()
        self._sessions = sessions
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        unread: list[Message] = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive_again() -> Message:
            return unread.pop() if unread else await receive()

        await self._sessions.handle_request(scope, receive_again, send)


def errors(error: TunesmithError) -> JSONResponse:
    """Answer as JSON-RPC does, for what is wrong before the protocol's library has the request."""
    code = CODES.get(status_of(error), INTERNAL_PROBLEM)
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message_of(error)}}
    return error_response(error, body)
