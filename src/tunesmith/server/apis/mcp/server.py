"""The MCP server over jobs; imported on the first request, because its library is large."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.mcpserver import Context as ToolContext
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

from tunesmith.errors import JobNotFound
from tunesmith.generator import Progress
from tunesmith.jobs.job import JobOptions, JobState, Submission
from tunesmith.jobs.service import MusicService
from tunesmith.request import GenerationRequest
from tunesmith.server.apis.errors import message_of
from tunesmith.server.apis.mcp.tool import MusicFile, Tell, tool_server
from tunesmith.server.apis.responses import require_success, warnings_of

DIALECT = "mcp"
MUSIC = "tunesmith://music/"
ANY_HOST = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""The library's own check accepts only loopback names; the application itself checks the Host header."""


class ServiceBackend:
    """The backend that generates through the job queue, on behalf of the caller of the HTTP request."""

    def __init__(self, service: MusicService) -> None:
        self._service = service

    async def make(self, request: GenerationRequest, file_format: str, tell: Tell, http_request: Any) -> MusicFile:
        """Submit a job, report its progress and return its file; a cancelled call cancels the job.

        Raises TunesmithError.
        """
        submission = Submission(request, DIALECT, _owner(http_request), options=JobOptions(file_format))
        submitted = await self._service.submit(submission)
        job = submitted
        try:
            async for job in self._service.events(submitted.id):
                await tell(Progress(job.stage or job.state.value, job.progress))
        except anyio.get_cancelled_exc_class():
            # Without the shield, the cancellation would interrupt this call too.
            with anyio.CancelScope(shield=True):
                await self._service.cancel(submitted.id)
            raise
        job = require_success(job)
        path = self._service.result_path(job)
        seed = job.metadata.get("seed", request.seed)
        duration = job.result.duration if job.result else job.audio_seconds
        requested = job.fallback_for
        name = f"{job.id}.{file_format}"
        uri, warnings = f"{MUSIC}{job.id}", warnings_of(job)
        return MusicFile(path, name, uri, job.generated_by, seed, duration, requested, warnings)


def sessions_of(service: MusicService) -> StreamableHTTPSessionManager:
    """Return the session manager of an MCP server over the service; it works while its ``run`` does."""
    server = tool_server(ServiceBackend(service), message_of)
    _offer_music(server, service)
    # Called for its side effect: it creates the session manager.
    server.streamable_http_app(stateless_http=True, transport_security=ANY_HOST)
    return server.session_manager


def _offer_music(server: MCPServer, service: MusicService) -> None:
    """Add the resource that resource links point to; callers can read only their own jobs."""

    @server.resource(MUSIC + "{job_id}", name="music", description="Music generated earlier", mime_type="audio/*")
    async def music(job_id: str, ctx: ToolContext) -> bytes:
        try:
            job = await service.get(job_id, _owner(ctx.request_context.request))
        except JobNotFound as error:
            raise ResourceNotFoundError(str(error)) from None
        # The same error as for an unknown job: the resource does not exist.
        if job.state is not JobState.SUCCEEDED or job.data_removed:
            raise ResourceNotFoundError(f"job {job_id} has no result")
        return await anyio.Path(service.result_path(job)).read_bytes()


def _owner(request: Any) -> str | None:
    # Without an authenticated request there is no owner.
    caller = getattr(getattr(request, "state", None), "caller", None)
    owner: str | None = getattr(caller, "owner", None)
    return owner
