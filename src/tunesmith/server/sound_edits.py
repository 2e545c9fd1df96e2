"""Edits of sound files, each in a process of its own: the CLI's commands, whose samples stay out of the server."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from tunesmith.audio.formats import FORMATS
from tunesmith.errors import DiskFull, InvalidRequest, TunesmithError
from tunesmith.files import disk_full_as_error

MAX_AT_ONCE = 2
"""Edits at the same time; the others wait."""

LONGEST_SECONDS = 300.0
INVALID = 2
"""The exit code of the CLI for invalid input."""

PREFIX = "tunesmith: error: "
DISK_FULL = ("the disk is full", os.strerror(errno.ENOSPC))
"""How the CLI says that the disk is full."""

SOURCE = "source"


class EditFailed(TunesmithError, code="EditFailed"):
    """An edit that did not end well for a reason that is not the caller's."""


class SoundEdits:
    """Runs edits, a few at a time. Use it from one event loop."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MAX_AT_ONCE)

    async def run(self, edit: str, sources: Sequence[Path], output: Path, *settings: str) -> None:
        """Write ``output``, in the format of its suffix. Raises InvalidRequest with the CLI's message, and EditFailed.

        No message has a path of this server. A cancelled caller ends the process. Raises DiskFull.
        """
        command = (edit, *map(str, sources), "--output", str(output), *settings)
        async with self._places:
            code, said = await _tunesmith(command, output.parent)
        if code == 0:
            return
        message = next((line.removeprefix(PREFIX) for line in said.splitlines() if line.startswith(PREFIX)), "")
        for folder in {path.parent for path in (*sources, output)}:
            message = message.replace(f"{folder}{os.sep}", "")
        if any(words in message for words in DISK_FULL):
            raise DiskFull("the disk is full: the edit could not be stored")
        if code == INVALID and message:
            field, _, problem = message.partition(": ")
            raise (
                InvalidRequest(field, problem) if field.isidentifier() and problem else InvalidRequest(SOURCE, message)
            )
        raise EditFailed(f"{edit}: {message or 'the edit ended before it was complete'}")


@contextlib.asynccontextmanager
async def edit_folder() -> AsyncIterator[Path]:
    """Yield a folder for the files of an edit. It is removed if the block fails, otherwise by ``sent_once``."""
    with disk_full_as_error("the sound"):
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="tunesmith-edit-"))
    try:
        yield folder
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise


def sent_once(output: Path) -> FileResponse:
    """Return the response with the result of an edit; its folder is removed when it has been sent."""
    gone = BackgroundTask(shutil.rmtree, output.parent, ignore_errors=True)
    media_type = FORMATS[output.suffix].media_type
    return FileResponse(output, media_type=media_type, filename=output.name, background=gone)


async def _tunesmith(command: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run a command of the CLI; return its exit code and what it said on standard error."""
    # A data folder of its own, or the edit would enter the server's prompt log, without an owner.
    environment = {**os.environ, "TUNESMITH_DATA_DIR": str(folder), "NO_COLOR": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tunesmith", *command, env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = await asyncio.wait_for(process.communicate(), LONGEST_SECONDS)
    except TimeoutError:
        return -1, f"{PREFIX}it takes longer than {LONGEST_SECONDS:g} s"
    finally:
        # Also on cancellation: the process must not outlive the request.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return process.returncode or 0, said.decode("utf-8", "replace")
