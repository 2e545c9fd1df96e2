"""The Model Context Protocol over streamable HTTP at ``/mcp``.

Every request stands alone (stateless), so that any of several servers can answer it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from mcp.server.mcpserver import Context as ToolContext
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Receive, Scope, Send

from tunesmith.errors import JobNotFound, TunesmithError
from tunesmith.generator import Progress
from tunesmith.jobs.job import JobState, Submission
from tunesmith.request import GenerationRequest
from tunesmith.server.dialects.contract import Context, Service, error_response, message_of, status_of
from tunesmith.server.dialects.holding import succeeded
from tunesmith.server.mcp_tool import MusicFile, Tell, tool_server

DIALECT = "mcp"
MUSIC = "tunesmith://music/"
CODES: Mapping[int, int] = {401: -32_001, 403: -32_003, 404: -32_004, 429: -32_029}
INTERNAL_ERROR = -32_603
ANY_HOST = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""The library's own check knows only loopback names; which hosts are served is for the whole app to decide."""


class ServiceMaker:
    """Has the music made by the server's jobs, for whoever the HTTP request was found to come from."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def make(self, request: GenerationRequest, file_format: str, tell: Tell, caller: Any) -> MusicFile:
        """Submit, follow and return the file; a call that is given up cancels its job."""
        submission = Submission(request, DIALECT, _owner(caller), extra={"format": file_format})
        submitted = await self._service.submit(submission)
        job = submitted
        try:
            async for job in self._service.events(submitted.id):
                await tell(Progress(job.stage or job.state.value, job.progress))
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._service.cancel(submitted.id)
            raise
        job = succeeded(job)
        path = self._service.result_path(job)
        seed = job.metadata.get("seed", request.seed)
        duration = job.result.duration if job.result else job.audio_seconds
        return MusicFile(path, f"{MUSIC}{job.id}", job.generated_by, seed, duration)


def router(context: Context) -> APIRouter:
    """Return the route; its lifespan is that of the protocol's own tasks."""
    server = tool_server(ServiceMaker(context.service), message_of)
    _offer_music(server, context.service)
    server.streamable_http_app(stateless_http=True, transport_security=ANY_HOST)
    sessions = server.session_manager

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with sessions.run():
            yield

    routes = APIRouter(tags=["MCP"], lifespan=lifespan)

    @routes.api_route("/mcp", methods=["GET", "POST", "DELETE"], include_in_schema=False)
    async def mcp(request: Request, caller: Any = Depends(context.authenticate)) -> Response:  # noqa: B008
        request.state.caller = caller
        return _Session(sessions)

    return routes


class _Session(Response):
    """An answer that the protocol's library writes itself."""

    def __init__(self, sessions: StreamableHTTPSessionManager) -> None:
        super().__init__()
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._sessions.handle_request(scope, receive, send)


def _offer_music(server: MCPServer, service: Service) -> None:
    """Let callers read the music that a resource link of theirs leads to."""

    @server.resource(MUSIC + "{job_id}", name="music", description="Music made before", mime_type="audio/*")
    async def music(job_id: str, ctx: ToolContext) -> bytes:
        try:
            job = await service.get(job_id, _owner(ctx.request_context.request))
        except JobNotFound as error:
            raise ResourceNotFoundError(str(error)) from None
        if job.state is not JobState.SUCCEEDED or job.data_removed:
            raise ResourceNotFoundError(f"job {job_id} has no music")
        return await anyio.Path(service.result_path(job)).read_bytes()


def _owner(request: Any) -> str | None:
    caller = getattr(getattr(request, "state", None), "caller", None)
    owner: str | None = getattr(caller, "owner", None)
    return owner


def errors(error: TunesmithError) -> JSONResponse:
    """Answer as JSON-RPC does, for what is wrong before the protocol's library has the request."""
    code = CODES.get(status_of(error), INTERNAL_ERROR)
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message_of(error)}}
    return error_response(error, body)
