"""``tunesmith mcp``: the MCP server for assistants on this machine, over standard input and output."""

from __future__ import annotations

import secrets
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tunesmith.config import Settings
    from tunesmith.generator import Progress
    from tunesmith.request import GenerationRequest
    from tunesmith.server.apis.mcp.tool import MusicFile, Tell

FOLDER_HELP = "Output folder. Default: mcp/ in the data folder."
Folder = Annotated[Path | None, typer.Option("--folder", metavar="DIR", help=FOLDER_HELP)]


def mcp(folder: Folder = None) -> None:
    """Serve the MCP tool generate_music over standard input and output, without a server.

    Put it into the assistant's settings as the command: tunesmith mcp
    """
    from tunesmith.config import load_settings
    from tunesmith.server.apis.mcp.tool import tool_server

    settings = load_settings()
    kept_in = folder or settings.data_dir / "mcp"
    kept_in.mkdir(parents=True, exist_ok=True)
    tool_server(ThisMachineBackend(kept_in, settings)).run("stdio")


class ThisMachineBackend:
    """A backend that generates music in a thread of this process, one request at a time; models stay loaded."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        import anyio

        from tunesmith.models.registry import Registry

        self._folder = folder
        self._settings = settings
        self._create = cache(Registry.discover().create)
        self._turns = anyio.Lock()

    async def make(self, request: GenerationRequest, file_format: str, tell: Tell, http_request: Any) -> MusicFile:  # noqa: ARG002
        """Generate the file in the folder; cancelling the call stops the generation."""
        import anyio

        seeded = request.with_drawn_seed()
        given_up = threading.Event()

        def report(progress: Progress) -> None:
            # The client no longer waits for the progress of a cancelled call.
            if not given_up.is_set():
                anyio.from_thread.run(tell, progress)

        async with self._turns:
            try:
                # A thread cannot be killed: it is abandoned, and the event below makes it stop itself.
                return await anyio.to_thread.run_sync(
                    self._generate, seeded, file_format, report, given_up, abandon_on_cancel=True
                )
            finally:
                given_up.set()

    def _generate(
        self, request: GenerationRequest, file_format: str, report: Any, given_up: threading.Event
    ) -> MusicFile:
        from tunesmith.audio.writer import write_audio
        from tunesmith.models.commercial_safety import CommercialPolicy, check_licence
        from tunesmith.output_files import slug
        from tunesmith.pipeline import generate_music
        from tunesmith.server.apis.mcp.tool import MusicFile

        policy = CommercialPolicy.of(self._settings)
        check_licence(policy, request.model, request.audio, request.melody)
        music = generate_music(request, self._create, report, given_up.is_set)
        # A random part in the name: repeated requests must not overwrite files already handed out.
        path = self._folder / f"{slug(request.prompt)}-{request.seed}-{secrets.token_hex(3)}.{file_format}"
        write_audio(music.audio, path)
        uri, duration = path.resolve().as_uri(), music.audio.duration
        return MusicFile(path, path.name, uri, request.model, request.seed, duration, warnings=music.warnings)
