"""The MCP tool ``generate_music``, over any backend."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import AudioContent, CallToolResult, InputRequiredResult, ResourceLink, TextContent
from pydantic import ConfigDict, Field

import tunesmith
from tunesmith.audio.formats import format_of
from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.fields import GivenFields, ModelName, Prompt, checked
from tunesmith.generator import Progress
from tunesmith.request import MAX_DURATION_SECONDS, MIN_DURATION_SECONDS, GenerationRequest

INSTRUCTIONS = "Generates background music from a description. Name genre, mood, instruments and tempo in the prompt."
TOOL = "generate_music"
FileFormat = Literal["mp3", "wav", "flac", "ogg", "opus"]
Tell = Callable[[Progress], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class MusicFile:
    """An audio file: its ``path`` on this machine, its ``uri`` for the caller, the model and seed that generated it.

    ``name`` is a file name for the caller, with the suffix of its format, which the path need not have;
    ``fallback_for`` is the requested model if the composer was its fallback.
    """

    path: Path
    name: str
    uri: str
    model: str
    seed: int | None
    duration: float
    fallback_for: str | None = None
    warnings: tuple[str, ...] = ()


class MusicBackend(Protocol):
    """A backend that generates an audio file from a request."""

    async def make(self, request: GenerationRequest, file_format: str, tell: Tell, http_request: Any) -> MusicFile:
        """Generate the file and report progress. Raises TunesmithError. ``http_request`` is None without HTTP."""
        ...


class Arguments(GivenFields):
    """The arguments of the tool; GenerationRequest validates their values."""

    # A language model that invents an argument must learn of it.
    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Any
    duration: Any = None
    seed: Any = None
    tempo_bpm: Any = None
    model: Any = "composer"
    format: FileFormat = "mp3"

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the validated arguments by the tool's own names. Raises InvalidRequest, which names the wrong one."""
        read = checked(cls, given)
        # Validated here too, so that an error names the field as the caller sent it.
        checked(GenerationRequest, {name: value for name, value in given.items() if name != "format"})
        return {name: value for name, value in read.model_dump().items() if value is not None}


class MusicServer(MCPServer):
    """An MCP server whose tool reports invalid arguments with the messages of all other APIs."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool with its arguments under any accepted name. Raises what the library raises."""
        if name == TOOL:
            try:
                arguments = Arguments.read(arguments)
            except InvalidRequest as error:
                # The library would hide the message of an exception.
                return _refusal(str(error))
        return await super().call_tool(name, arguments, context)


def tool_server(backend: MusicBackend, message_of: Callable[[TunesmithError], str] = str) -> MCPServer:
    """Return an MCP server with the tool; ``message_of`` returns the message of an error for callers."""
    server = MusicServer("tunesmith", version=tunesmith.__version__, instructions=INSTRUCTIONS)

    @server.tool(name=TOOL, structured_output=False)
    async def generate_music(
        ctx: Context,
        prompt: Annotated[Prompt, Field(description="Description of the music, such as: calm piano with rain, 70 bpm")],
        duration: Annotated[float | str | None, Field(description=DURATION)] = None,
        seed: Annotated[int | None, Field(description="The same seed gives the same music; -1 draws one")] = None,
        tempo_bpm: Annotated[float | None, Field(description="Beats per minute. Default: suits the prompt")] = None,
        model: Annotated[
            ModelName | None, Field(description="composer, or the name of an installed model")
        ] = "composer",
        format: FileFormat | None = "mp3",  # noqa: A002  the word that callers know
    ) -> CallToolResult:
        """Generate background music from a description and return it as an audio file."""

        async def tell(progress: Progress) -> None:
            await ctx.report_progress(progress.fraction, 1.0, progress.stage)

        try:
            request = GenerationRequest.checked(
                prompt=prompt, model=model, duration=duration, seed=seed, tempo_bpm=tempo_bpm
            )
            music = await backend.make(request, format or "mp3", tell, ctx.request_context.request)
        except TunesmithError as error:
            return _refusal(message_of(error))
        # Reading and encoding a large file would block the event loop.
        return await anyio.to_thread.run_sync(_result, music)

    return server


def _refusal(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=message)], is_error=True)


DURATION = f"Seconds, {MIN_DURATION_SECONDS:g} to {MAX_DURATION_SECONDS:g}. Default: suits the prompt"


def _result(music: MusicFile) -> CallToolResult:
    seed = "" if music.seed is None else f", seed {music.seed}"
    fallback = f" (in place of {music.fallback_for}, which is not installed)" if music.fallback_for else ""
    text = f"{music.duration:.1f} s of music by {music.model}{fallback}{seed}: {music.uri}"
    text = "\n".join([text, *(f"warning: {warning}" for warning in music.warnings)])
    media_type = format_of(Path(music.name)).media_type
    sound = base64.b64encode(music.path.read_bytes()).decode()
    return CallToolResult(
        content=[
            TextContent(type="text", text=text),
            AudioContent(type="audio", data=sound, mime_type=media_type),
            ResourceLink(name=music.name, uri=music.uri, mime_type=media_type, size=music.path.stat().st_size),
        ]
    )
