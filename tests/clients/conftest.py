"""The servers of tests/support/serving.py, for every test with a real client."""

from __future__ import annotations

from serving import (
    held,
    magenta_server,
    musicgen_server,
    server,
    server_with_tokens,
    stable_audio_server,
    strict_server,
)

__all__ = [
    "held", "magenta_server", "musicgen_server", "server", "server_with_tokens", "stable_audio_server", "strict_server",
]  # fmt: skip
