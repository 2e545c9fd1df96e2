"""The tool ``generate_music`` of the Model Context Protocol, whoever makes the music."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import AudioContent, CallToolResult, ResourceLink, TextContent
from pydantic import Field

import tunesmith
from tunesmith.audio.formats import format_of
from tunesmith.errors import TunesmithError
from tunesmith.generator import Progress
from tunesmith.request import MAX_DURATION_SECONDS, MIN_DURATION_SECONDS, GenerationRequest

INSTRUCTIONS = "Makes background music from a description. Say genre, mood, instruments and tempo in the prompt."
FileFormat = Literal["mp3", "wav", "flac", "ogg", "opus"]
Tell = Callable[[Progress], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class MusicFile:
    """Music in a file: where it is for us (``path``) and for the caller (``uri``), who made it, from which seed.

    ``name`` is what a caller may call it, with the suffix of its format, which the path need not have;
    ``stand_in_for`` is the model that was asked for, where another made it because that is not installed;
    ``warnings`` are those about the music.
    """

    path: Path
    name: str
    uri: str
    model: str
    seed: int | None
    duration: float
    stand_in_for: str | None = None
    warnings: tuple[str, ...] = ()


class Maker(Protocol):
    """Makes a file of music from a request."""

    async def make(self, request: GenerationRequest, file_format: str, tell: Tell, caller: Any) -> MusicFile:
        """Make it and tell how far it is; raises a TunesmithError. ``caller`` is the HTTP request, if there is one."""
        ...


def tool_server(maker: Maker, message_of: Callable[[TunesmithError], str] = str) -> MCPServer:
    """Return a server with the one tool; ``message_of`` says an error to the caller."""
    server = MCPServer("tunesmith", version=tunesmith.__version__, instructions=INSTRUCTIONS)

    @server.tool(structured_output=False)
    async def generate_music(
        ctx: Context,
        prompt: Annotated[str, Field(description="What the music is like, such as: calm piano with rain, 70 bpm")],
        duration: Annotated[float | None, Field(description=DURATION)] = None,
        seed: Annotated[int | None, Field(description="The same seed makes the same music again")] = None,
        model: Annotated[str, Field(description="composer, or the name of an installed model")] = "composer",
        format: FileFormat = "mp3",  # noqa: A002  the word that callers know
    ) -> CallToolResult:
        """Make background music from a description and return it as a sound file."""

        async def tell(progress: Progress) -> None:
            await ctx.report_progress(progress.fraction, 1.0, progress.stage)

        try:
            request = GenerationRequest.checked(prompt=prompt, model=model, duration=duration, seed=seed)
            made = await maker.make(request, format, tell, ctx.request_context.request)
        except TunesmithError as error:
            return CallToolResult(content=[TextContent(type="text", text=message_of(error))], is_error=True)
        return await anyio.to_thread.run_sync(_result, made)

    return server


DURATION = f"Seconds, {MIN_DURATION_SECONDS:g} to {MAX_DURATION_SECONDS:g}; left out, what suits the prompt"


def _result(made: MusicFile) -> CallToolResult:
    seed = "" if made.seed is None else f", seed {made.seed}"
    stands_in = f" (standing in for {made.stand_in_for}, which is not installed)" if made.stand_in_for else ""
    said = f"{made.duration:.1f} s of music by {made.model}{stands_in}{seed}: {made.uri}"
    said = "\n".join([said, *(f"warning: {warning}" for warning in made.warnings)])
    media_type = format_of(Path(made.name)).media_type
    sound = base64.b64encode(made.path.read_bytes()).decode()
    return CallToolResult(
        content=[
            TextContent(type="text", text=said),
            AudioContent(type="audio", data=sound, mime_type=media_type),
            ResourceLink(name=made.name, uri=made.uri, mime_type=media_type, size=made.path.stat().st_size),
        ]
    )
