from __future__ import annotations

import asyncio
import io
import os
import sys
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import soundfile
from lazy_modules import LazyModule

if TYPE_CHECKING:
    import mcp
    import mcp_types
else:
    mcp = LazyModule("mcp")
    mcp_types = LazyModule("mcp_types")


def test_an_assistant_gets_music_over_standard_input_and_output(tmp_path: Path) -> None:
    told: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001  the client's
        told.append(progress)

    async def run() -> None:
        command = mcp.StdioServerParameters(
            command=sys.executable, args=["-m", "tunesmith", "mcp", "--folder", str(tmp_path)], env=dict(os.environ)
        )
        async with mcp.Client(command) as client:
            wishes = {"prompt": "calm piano", "duration": 2, "seed": 7, "format": "wav"}
            result = await client.call_tool("generate_music", wishes, progress_callback=note)
            text, sound, link = result.content
            assert isinstance(text, mcp_types.TextContent)
            assert "seed 7" in text.text
            assert isinstance(sound, mcp_types.AudioContent)
            assert abs(soundfile.info(io.BytesIO(b64decode(sound.data))).duration - 2) < 0.01
            assert isinstance(link, mcp_types.ResourceLink)
            assert Path(urlsplit(link.uri).path).read_bytes() == b64decode(sound.data)

            wrong = await client.call_tool("generate_music", {"prompt": "calm piano", "model": "nothing"})
            assert wrong.is_error
            assert "no model called 'nothing'" in str(wrong.content)

    asyncio.run(run())
    assert told == sorted(told)
    assert told
