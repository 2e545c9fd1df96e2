"""The Model Context Protocol's own client, at a server of ours or at a ``tunesmith mcp`` that it starts."""

from __future__ import annotations

import os
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import strange_generators
from lazy_modules import LazyModule
from listening_to import Heard, heard

if TYPE_CHECKING:
    import mcp
    import mcp_types
    from mcp.client import streamable_http
else:
    mcp = LazyModule("mcp")
    mcp_types = LazyModule("mcp_types")
    streamable_http = LazyModule("mcp.client.streamable_http")


@asynccontextmanager
async def over_http(url: str, token: str = "any") -> AsyncIterator[mcp.Client]:
    """Connect to a server at its base URL."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=120) as connections,
        mcp.Client(streamable_http.streamable_http_client(f"{url}/mcp", http_client=connections)) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(folder: Path, data_dir: Path) -> AsyncIterator[mcp.Client]:
    """Start a server of its own over a data folder; it keeps its music in ``folder``/music."""
    environment = {
        **os.environ, "TUNESMITH_DATA_DIR": str(data_dir), "TUNESMITH_CONFIG": str(folder / "config.toml"),
        "PYTHONPATH": strange_generators.install(folder / "site"),
    }  # fmt: skip
    command = ["-m", "tunesmith", "mcp", "--folder", str(folder / "music")]
    async with mcp.Client(mcp.StdioServerParameters(command=sys.executable, args=command, env=environment)) as client:
        yield client


async def music(client: mcp.Client, prompt: str = "calm piano", **wishes: object) -> mcp_types.CallToolResult:
    """Call the tool for two seconds of music in a WAV file unless it is wished otherwise."""
    return await client.call_tool(
        "generate_music", {"prompt": prompt, "duration": 2, "seed": 7, "format": "wav", **wishes}
    )


def said(result: mcp_types.CallToolResult) -> str:
    """Return the text of an answer, which comes first."""
    text = result.content[0]
    assert isinstance(text, mcp_types.TextContent)
    return text.text


def sound_of(result: mcp_types.CallToolResult) -> bytes:
    """Return the music in an answer."""
    assert not result.is_error, said(result)
    (sound,) = (part for part in result.content if isinstance(part, mcp_types.AudioContent))
    return b64decode(sound.data)


def heard_in(result: mcp_types.CallToolResult) -> Heard:
    """Decode the music in an answer."""
    return heard(sound_of(result))


def link_of(result: mcp_types.CallToolResult) -> str:
    """Return where the music in an answer can be read again."""
    (link,) = (part for part in result.content if isinstance(part, mcp_types.ResourceLink))
    return str(link.uri)
